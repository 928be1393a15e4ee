#include "conversation.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>

namespace pw {
namespace {

/** Beyond this nobody is an engine any more. */
constexpr size_t kMostAnswer = 64u << 20;
/** How long one wait for room may keep us from noticing that everything is to end. */
constexpr int kSendSliceMs = 20;

Failure connectTo(const std::string& path, Fd* socket) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return failedCall("connect", ENAMETOOLONG, path);
  std::memcpy(address.sun_path, path.data(), path.size());
  *socket = Fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!*socket) return failedCall("socket", errno);
  // Not yet non-blocking: a connect to a unix socket ends at once, or waits for room in its backlog.
  if (::connect(socket->get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return failedCall("connect", errno, path);
  }
  return {};
}

Failure sendAll(int socket, const Bytes& payload, const Stop& stop, Clock::time_point deadline) {
  size_t sent = 0;
  while (sent < payload.size()) {
    const ssize_t length = ::send(socket, payload.data() + sent, payload.size() - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (length >= 0) {
      sent += static_cast<size_t>(length);
      continue;
    }
    if (errno == EINTR) continue;
    if (errno != EAGAIN) return failedCall("send", errno);
    if (stop.asked()) return refusal(Reason::closed, "the runner is closed");
    if (Clock::now() >= deadline) return failedCall("send", ETIMEDOUT);
    pollfd room{socket, POLLOUT, 0};
    ::poll(&room, 1, kSendSliceMs);
  }
  return {};
}

}  // namespace

Conversed converse(const Conversation& conversation, const Stop& stop) {
  const auto deadline = Clock::now() + conversation.time;
  Conversed result;
  Fd socket;
  if ((result.failure = connectTo(conversation.path, &socket))) return result;
  if ((result.failure = sendAll(socket.get(), conversation.payload, stop, deadline))) return result;
  Bytes buffer(1u << 16);
  for (;;) {
    switch (waitReadable(socket.get(), stop, deadline, std::chrono::seconds(0))) {
      case Wake::deadline: result.failure = failedCall("recv", ETIMEDOUT); return result;
      case Wake::stopped: result.failure = refusal(Reason::closed, "the runner is closed"); return result;
      case Wake::failed: result.failure = failedCall("poll", errno); return result;
      case Wake::ready: break;
    }
    const ssize_t length = ::recv(socket.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (length == 0) return result;
    if (length < 0) {
      if (errno == EAGAIN || errno == EINTR) continue;
      result.failure = failedCall("recv", errno);
      return result;
    }
    result.answer.insert(result.answer.end(), buffer.begin(), buffer.begin() + length);
    if (result.answer.size() > kMostAnswer) {
      result.failure = failedCall("recv", EMSGSIZE);
      return result;
    }
  }
}

}  // namespace pw
