#include "convert.h"

#include <cstring>

#include "netns-object.h"

namespace pw {
namespace {

constexpr uint32_t kMostPath = 16;
constexpr uint32_t kMostConditions = 64;
constexpr uint32_t kMostQueries = 4096;
constexpr size_t kMostText = 1u << 20;
constexpr uint64_t kLargestErrno = 4095;
/** Number.MAX_SAFE_INTEGER */
constexpr uint64_t kLargestInteger = (1ull << 53) - 1;
constexpr uint64_t kDay = 86400000;

Match readMatch(ObjectReader* reader, napi_value value) {
  Match match;
  match.header = static_cast<uint32_t>(reader->integer(value, Word::header, "header", kLargestMessage));
  const napi_value path = reader->get(value, Word::path);
  const uint32_t length = reader->length(path, "path", kMostPath);
  for (uint32_t i = 0; i < length; i++) {
    match.path.push_back(static_cast<uint16_t>(reader->integer(reader->element(path, i), "path", 0x3fff)));
  }
  match.value = reader->bytes(reader->get(value, Word::value), "value", kLargestMessage);
  return match;
}

std::vector<Match> readConditions(ObjectReader* reader, napi_value value) {
  std::vector<Match> conditions;
  if (value == nullptr) return conditions;
  const uint32_t length = reader->length(value, "where", kMostConditions);
  for (uint32_t i = 0; i < length; i++) {
    const napi_value one = reader->object(reader->element(value, i), "where");
    if (!reader->failed()) conditions.push_back(readMatch(reader, one));
  }
  return conditions;
}

Bytes readMessage(ObjectReader* reader, napi_value value) {
  Bytes message = reader->bytes(reader->get(value, Word::message), "message", kLargestMessage);
  if (!reader->failed()) {
    if (std::string fault = checkMessage(message); !fault.empty()) reader->fail(fault);
  }
  return message;
}

std::vector<Relocation> readRelocations(ObjectReader* reader, napi_value value) {
  std::vector<Relocation> relocations;
  if (value == nullptr) return relocations;
  const uint32_t length = reader->length(value, "relocations", 2 * kMostSlots);
  if (length % 2 != 0) reader->fail("relocations: pairs are needed");
  for (uint32_t i = 0; i < length && !reader->failed(); i += 2) {
    const auto offset = reader->integer(reader->element(value, i), "relocations", kLargestMessage);
    const auto slot = reader->integer(reader->element(value, i + 1), "relocations", kMostSlots);
    relocations.push_back({static_cast<uint32_t>(offset), static_cast<uint32_t>(slot)});
  }
  return relocations;
}

void readNetlinkParts(ObjectReader* reader, napi_value value, Instruction* one) {
  one->message = readMessage(reader, value);
  one->relocations = readRelocations(reader, reader->get(value, Word::relocations));
  if (one->op == Op::reap) {
    const napi_value notice = reader->get(value, Word::notice);
    if (notice == nullptr) return;
    reader->object(notice, "notice");
    Notice& read = one->notice.emplace();
    read.group = static_cast<uint32_t>(reader->integer(notice, Word::group, "group", UINT32_MAX));
    read.type = static_cast<uint16_t>(reader->integer(notice, Word::type, "type", UINT16_MAX));
    read.offset = static_cast<uint32_t>(reader->integer(notice, Word::offset, "offset", kLargestMessage));
    read.slot = reader->optionalIndex(notice, Word::slot, "slot");
    if (!read.slot) read.value = static_cast<uint32_t>(reader->integer(notice, Word::value, "value", UINT32_MAX));
    return;
  }
  if (const napi_value capture = reader->get(value, Word::capture)) {
    reader->object(capture, "capture");
    Capture& read = one->capture.emplace();
    read.slot = static_cast<uint32_t>(reader->integer(capture, Word::slot, "slot", kMostSlots));
    read.offset = static_cast<uint32_t>(reader->integer(capture, Word::offset, "offset", kLargestMessage));
    read.where = readConditions(reader, reader->get(capture, Word::where));
  }
  if (const napi_value until = reader->get(value, Word::until)) {
    reader->object(until, "until");
    Until& read = one->until.emplace();
    if (!reader->failed()) read.match = readMatch(reader, until);
    read.time = std::chrono::milliseconds(reader->integer(until, Word::timeoutMs, "timeoutMs", kDay));
  }
}

void readFileParts(ObjectReader* reader, napi_value value, Instruction* one) {
  one->path = reader->text(reader->get(value, Word::path), "path");
  if (one->op == Op::identity) {
    one->ino = reader->integer(value, Word::ino, "ino", kLargestInteger);
    return;
  }
  const napi_value data = reader->get(value, Word::data);
  if (!reader->isNull(data)) one->data = reader->text(data, "data");
  if (one->data && one->data->size() > kMostText) reader->fail("data: more than 1 MB");
  one->noUndo = reader->flag(value, Word::noUndo, "noUndo");
}

std::vector<Instruction> readInstructions(ObjectReader* reader, napi_value value, const char* what, bool nested);

Instruction readInstruction(ObjectReader* reader, napi_value value, bool nested) {
  Instruction one;
  one.op = static_cast<Op>(reader->integer(value, Word::op, "op", static_cast<uint64_t>(Op::identity)));
  one.netns = static_cast<uint32_t>(reader->integer(value, Word::netns, "netns", UINT32_MAX));
  if (one.op == Op::netlink || one.op == Op::reap) {
    readNetlinkParts(reader, value, &one);
  } else {
    readFileParts(reader, value, &one);
  }
  if (const napi_value tolerate = reader->get(value, Word::tolerate)) {
    const uint32_t length = reader->length(tolerate, "tolerate", 64);
    for (uint32_t i = 0; i < length; i++) {
      one.tolerate.push_back(
          static_cast<int>(reader->integer(reader->element(tolerate, i), "tolerate", kLargestErrno)));
    }
  }
  one.optional = reader->flag(value, Word::optional, "optional");
  one.unlessSlot = reader->optionalIndex(value, Word::unlessSlot, "unlessSlot");
  one.ifSlot = reader->optionalIndex(value, Word::ifSlot, "ifSlot");
  if (const napi_value guard = reader->get(value, Word::unlessAny)) {
    reader->object(guard, "unlessAny");
    Guard& read = one.unlessAny.emplace();
    if (!reader->failed()) {
      read.message = readMessage(reader, guard);
      read.relocations = readRelocations(reader, reader->get(guard, Word::relocations));
      read.where = readConditions(reader, reader->get(guard, Word::where));
    }
  }
  if (const napi_value undo = reader->get(value, Word::undo)) {
    if (nested) reader->fail("an undo has no undo of its own");
    one.hasUndo = true;
    one.undo = readInstructions(reader, undo, "undo", true);
  }
  return one;
}

std::vector<Instruction> readInstructions(ObjectReader* reader, napi_value value, const char* what, bool nested) {
  std::vector<Instruction> instructions;
  const uint32_t length = reader->length(value, what, kMostInstructions);
  for (uint32_t i = 0; i < length && !reader->failed(); i++) {
    const napi_value one = reader->object(reader->element(value, i), what);
    if (!reader->failed()) instructions.push_back(readInstruction(reader, one, nested));
    if (!nested && reader->failed()) reader->place("instruction " + std::to_string(i));
  }
  return instructions;
}

Napi::Value textOf(Napi::Env env, const std::string& text) { return Napi::String::New(env, text); }
Napi::Value numberOf(Napi::Env env, double number) { return Napi::Number::New(env, number); }

}  // namespace

Program readProgram(ObjectReader* reader, napi_value value) {
  return readInstructions(reader, value, "program", false);
}

Slots readSlots(ObjectReader* reader, napi_value value) {
  Slots slots;
  const uint32_t length = reader->length(value, "slots", kMostSlots);
  for (uint32_t i = 0; i < length; i++) {
    slots.push_back(static_cast<uint32_t>(reader->integer(reader->element(value, i), "slots", UINT32_MAX)));
  }
  return slots;
}

Expectation readExpectation(ObjectReader* reader, napi_value value) {
  Expectation expect;
  reader->object(value, "expect");
  if (const napi_value error = reader->get(value, Word::errno_)) {
    expect.error = static_cast<int>(reader->integer(error, "errno", kLargestErrno));
  }
  if (const napi_value words = reader->get(value, Word::words)) {
    const uint32_t length = reader->length(words, "words", 3 * kMostConditions);
    if (length % 3 != 0) reader->fail("words: triples are needed");
    for (uint32_t i = 0; i < length && !reader->failed(); i += 3) {
      Expectation::MaskedWord& word = expect.words.emplace_back();
      word.offset = static_cast<uint32_t>(reader->integer(reader->element(words, i), "words", kLargestMessage));
      word.mask = static_cast<uint32_t>(reader->integer(reader->element(words, i + 1), "words", UINT32_MAX));
      word.value = static_cast<uint32_t>(reader->integer(reader->element(words, i + 2), "words", UINT32_MAX));
    }
  }
  expect.where = readConditions(reader, reader->get(value, Word::where));
  if (const napi_value none = reader->get(value, Word::none)) {
    if (reader->length(none, "none", 2) != 2) reader->fail("none: [offset, value] is needed");
    Expectation::Byte& byte = expect.none.emplace();
    byte.offset = static_cast<uint32_t>(reader->integer(reader->element(none, 0), "none", kLargestMessage));
    byte.value = static_cast<uint8_t>(reader->integer(reader->element(none, 1), "none", UINT8_MAX));
  }
  return expect;
}

std::shared_ptr<const Netns> readNetns(ObjectReader* reader, napi_value value) {
  if (reader->failed() || reader->isNull(value)) return nullptr;
  const char* fault = "a Netns or null is needed";
  if (value == nullptr) {
    reader->fail(fault);
    return nullptr;
  }
  auto netns = NetnsObject::from(Napi::Value(reader->words()->env(), value), &fault);
  if (netns == nullptr) reader->fail(std::string("netns: ") + fault);
  return netns;
}

Keep readKeep(ObjectReader* reader, napi_value value) {
  Keep keep;
  reader->object(value, "keep");
  if (reader->failed()) return keep;
  keep.offset = static_cast<uint32_t>(reader->integer(value, Word::offset, "offset", kLargestMessage));
  keep.values = reader->bytes(reader->get(value, Word::value), "value", UINT8_MAX + 1);
  return keep;
}

std::vector<Query> readQueries(ObjectReader* reader, napi_value value, size_t namespaces) {
  std::vector<Query> queries;
  const uint32_t length = reader->length(value, "queries", kMostQueries);
  for (uint32_t i = 0; i < length && !reader->failed(); i++) {
    const napi_value one = reader->object(reader->element(value, i), "queries");
    if (reader->failed()) break;
    Query& query = queries.emplace_back();
    query.netns = static_cast<uint32_t>(reader->integer(one, Word::netns, "netns", namespaces - 1));
    query.message = readMessage(reader, one);
    if (const napi_value keep = reader->get(one, Word::keep)) query.keep = readKeep(reader, keep);
    if (const napi_value expect = reader->get(one, Word::expect)) query.expect = readExpectation(reader, expect);
  }
  return queries;
}

Napi::Value errorOf(Napi::Env env, const Failure& failure) {
  const Napi::Object error = Napi::Error::New(env, failure.text).Value();
  Words words(env);
  if (failure.error != 0) words.set(error, Word::errno_, numberOf(env, failure.error));
  if (!failure.syscall.empty()) words.set(error, Word::syscall, textOf(env, failure.syscall));
  if (failure.reason != Reason::none) words.set(error, Word::reason, textOf(env, reasonWord(failure.reason)));
  return error;
}

Napi::Value bytesOf(Napi::Env env, const Bytes& bytes) {
  Napi::ArrayBuffer buffer = Napi::ArrayBuffer::New(env, bytes.size());
  // A worker that is being terminated makes no more objects, from one call to the next.
  if (buffer.IsEmpty()) return env.Undefined();
  if (!bytes.empty()) std::memcpy(buffer.Data(), bytes.data(), bytes.size());
  return Napi::Uint8Array::New(env, bytes.size(), buffer, 0);
}

Napi::Value arrayOf(Words* words, const std::vector<Answer>& answers) {
  const Napi::Env env = words->env();
  Napi::Array array = Napi::Array::New(env, answers.size());
  for (uint32_t i = 0; i < answers.size(); i++) {
    const Napi::Object object = Napi::Object::New(env);
    words->set(object, Word::errno_, numberOf(env, answers[i].error));
    if (!answers[i].text.empty()) words->set(object, Word::text, textOf(env, answers[i].text));
    words->set(object, Word::replies, bytesOf(env, answers[i].replies));
    array[i] = object;
  }
  return array;
}

Napi::Value objectOf(Words* words, const Report& report) {
  const Napi::Env env = words->env();
  const Napi::Object object = Napi::Object::New(env);
  words->set(object, Word::ok, Napi::Boolean::New(env, report.ok));

  Napi::Array results = Napi::Array::New(env, report.results.size());
  for (uint32_t i = 0; i < report.results.size(); i++) {
    const Result& one = report.results[i];
    const Napi::Object result = Napi::Object::New(env);
    words->set(result, Word::errno_, numberOf(env, one.error));
    if (!one.text.empty()) words->set(result, Word::text, textOf(env, one.text));
    if (one.skipped) words->set(result, Word::skipped, Napi::Boolean::New(env, true));
    if (!one.reply.empty()) words->set(result, Word::reply, bytesOf(env, one.reply));
    if (one.met) words->set(result, Word::met, Napi::Boolean::New(env, *one.met));
    results[i] = result;
  }
  words->set(object, Word::results, results);

  Napi::Array slots = Napi::Array::New(env, report.slots.size());
  for (uint32_t i = 0; i < report.slots.size(); i++) slots[i] = numberOf(env, report.slots[i]);
  words->set(object, Word::slots, slots);

  if (report.failed) {
    const Napi::Object failed = Napi::Object::New(env);
    words->set(failed, Word::index, numberOf(env, static_cast<double>(report.failed->index)));
    words->set(failed, Word::errno_, numberOf(env, report.failed->error));
    if (!report.failed->text.empty()) words->set(failed, Word::text, textOf(env, report.failed->text));
    if (report.failed->offset >= 0) {
      words->set(failed, Word::offset, numberOf(env, static_cast<double>(report.failed->offset)));
    }
    if (!report.failed->syscall.empty()) words->set(failed, Word::syscall, textOf(env, report.failed->syscall));
    words->set(object, Word::failed, failed);
  }

  Napi::Array undone = Napi::Array::New(env, report.undone.size());
  for (uint32_t i = 0; i < report.undone.size(); i++) {
    const Undone& one = report.undone[i];
    const Napi::Object step = Napi::Object::New(env);
    words->set(step, Word::index, numberOf(env, static_cast<double>(one.index)));
    words->set(step, Word::position, numberOf(env, static_cast<double>(one.position)));
    words->set(step, Word::errno_, numberOf(env, one.error));
    if (!one.text.empty()) words->set(step, Word::text, textOf(env, one.text));
    if (one.skipped) words->set(step, Word::skipped, Napi::Boolean::New(env, true));
    undone[i] = step;
  }
  words->set(object, Word::undone, undone);

  if (!report.via.empty()) words->set(object, Word::via, textOf(env, report.via));
  return object;
}

}  // namespace pw
