#include <linux/netlink.h>

#include "convert.h"

namespace pw {
namespace {

constexpr uint32_t kMostGroups = 64;

}  // namespace

Watching readWatching(ObjectReader* reader, napi_value options) {
  Watching watching;
  watching.netns = readNetns(reader, reader->get(options, Word::netns));
  if (const napi_value protocol = reader->get(options, Word::protocol)) {
    watching.protocol = static_cast<int>(reader->integer(protocol, "protocol", MAX_LINKS - 1));
  }
  const napi_value groups = reader->get(options, Word::groups);
  const uint32_t joined = reader->length(groups, "groups", kMostGroups);
  for (uint32_t i = 0; i < joined; i++) {
    watching.groups.push_back(
        static_cast<uint32_t>(reader->integer(reader->element(groups, i), "groups", UINT32_MAX)));
  }
  const napi_value notables = reader->get(options, Word::notable);
  const uint32_t types = reader->length(notables, "notable", kMostGroups);
  for (uint32_t i = 0; i < types && !reader->failed(); i++) {
    const napi_value one = reader->object(reader->element(notables, i), "notable");
    if (reader->failed()) break;
    Notable& notable = watching.notables.emplace_back();
    notable.type = static_cast<uint16_t>(reader->integer(one, Word::type, "type", UINT16_MAX));
    if (const napi_value keep = reader->get(one, Word::keep)) notable.keep = readKeep(reader, keep);
  }
  if (const napi_value pid = reader->get(options, Word::pid)) {
    watching.pid = static_cast<pid_t>(reader->integer(pid, "pid", INT32_MAX));
  }
  if (const napi_value path = reader->get(options, Word::path)) {
    watching.path = reader->text(path, "path");
    if (watching.netns == nullptr || watching.path.find('\0') != std::string::npos) {
      reader->fail("path: that of the namespace is needed");
    }
  }
  return watching;
}

}  // namespace pw
