#include "conversation.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>

namespace pw {
namespace {

/** Beyond this nobody is an engine any more. */
constexpr size_t kMostAnswer = 64u << 20;
/** How long one wait for room may keep us from noticing that everything is to end. */
constexpr int kSliceMs = 20;

/** A name in the abstract namespace is as long as it says (unix(7)); a path ends at its zero byte. */
bool isAbstract(const std::string& path) { return path[0] == '\0'; }

Failure connectTo(const std::string& path, const Stop& stop, Clock::time_point deadline, const Fd& socket) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const size_t most = sizeof address.sun_path - (isAbstract(path) ? 0 : 1);
  const std::string shown = isAbstract(path) ? "@" + path.substr(1) : path;
  if (path.size() > most) return failedCall("connect", ENAMETOOLONG, shown);
  std::memcpy(address.sun_path, path.data(), path.size());
  const size_t size = isAbstract(path) ? offsetof(sockaddr_un, sun_path) + path.size() : sizeof address;
  // A connect to a unix socket ends at once, or waits for room in a backlog that its owner may never empty.
  const timeval slice{0, kSliceMs * 1000};
  if (::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &slice, sizeof slice) != 0) {
    return failedCall("setsockopt", errno);
  }
  while (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), static_cast<socklen_t>(size)) != 0) {
    if (errno != EAGAIN && errno != EINTR) return failedCall("connect", errno, shown);
    if (stop.asked()) return refusal(Reason::closed, "the runner is closed");
    if (Clock::now() >= deadline) return failedCall("connect", ETIMEDOUT, shown);
  }
  return {};
}

/** Whether root listens there, or our own user: the name of a socket may be taken by anybody. */
Failure trustListener(int socket) {
  ucred listener{};
  socklen_t size = sizeof listener;
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &listener, &size) != 0) return failedCall("getsockopt", errno);
  if (listener.uid != 0 && listener.uid != ::geteuid()) return failedCall("connect", EACCES);
  return {};
}

/** Not before connect, which would give our end a name in the abstract namespace. Nobody has been asked anything yet. */
Failure demandCredentials(int socket) {
  const int on = 1;
  if (::setsockopt(socket, SOL_SOCKET, SO_PASSCRED, &on, sizeof on) != 0) return failedCall("setsockopt", errno);
  return trustListener(socket);
}

/** Room for one struct ucred and nothing else: descriptors that come along find none, and are closed by the kernel. */
union Control {
  cmsghdr header;
  char bytes[CMSG_SPACE(sizeof(ucred))];
};

/** One piece, with who we are where that is wanted. */
ssize_t sendPiece(int socket, const uint8_t* data, size_t size, bool credentials) {
  iovec piece{const_cast<uint8_t*>(data), size};
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  Control control{};
  if (credentials) {
    message.msg_control = &control;
    message.msg_controllen = sizeof control;
    control.header.cmsg_level = SOL_SOCKET;
    control.header.cmsg_type = SCM_CREDENTIALS;
    control.header.cmsg_len = CMSG_LEN(sizeof(ucred));
    const ucred own{::getpid(), ::geteuid(), ::getegid()};
    std::memcpy(CMSG_DATA(&control.header), &own, sizeof own);
  }
  return ::sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
}

Failure sendAll(int socket, const Conversation& conversation, const Stop& stop, Clock::time_point deadline) {
  const Bytes& payload = conversation.payload;
  size_t sent = 0;
  while (sent < payload.size()) {
    const ssize_t length = sendPiece(socket, payload.data() + sent, payload.size() - sent, conversation.credentials);
    if (length >= 0) {
      sent += static_cast<size_t>(length);
      continue;
    }
    if (errno == EINTR) continue;
    if (errno != EAGAIN) return failedCall("sendmsg", errno);
    if (stop.asked()) return refusal(Reason::closed, "the runner is closed");
    if (Clock::now() >= deadline) return failedCall("sendmsg", ETIMEDOUT);
    pollfd room{socket, POLLOUT, 0};
    ::poll(&room, 1, kSliceMs);
  }
  return {};
}

/** One piece, and its sender's struct ucred where SO_PASSCRED asked for it; else `sender` is left empty. */
ssize_t receivePiece(int socket, uint8_t* data, size_t size, Bytes* sender) {
  iovec piece{data, size};
  Control control{};
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  message.msg_control = &control;
  message.msg_controllen = sizeof control;
  const ssize_t length = ::recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  const cmsghdr* header = length > 0 ? CMSG_FIRSTHDR(&message) : nullptr;
  sender->clear();
  if (header != nullptr && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_CREDENTIALS &&
      header->cmsg_len == CMSG_LEN(sizeof(ucred))) {
    const uint8_t* credentials = CMSG_DATA(header);
    sender->assign(credentials, credentials + sizeof(ucred));
  }
  return length;
}

}  // namespace

Failure openConversationSocket(Fd* socket) {
  *socket = Fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  return *socket ? Failure{} : failedCall("socket", errno);
}

Conversed converse(const Conversation& conversation, Fd socket, const Stop& stop) {
  const auto deadline = Clock::now() + conversation.time;
  Conversed result;
  if ((result.failure = connectTo(conversation.path, stop, deadline, socket))) return result;
  if (conversation.credentials && (result.failure = demandCredentials(socket.get()))) return result;
  if ((result.failure = sendAll(socket.get(), conversation, stop, deadline))) return result;
  const size_t most = conversation.length > 0 ? conversation.length : kMostAnswer + 1;
  Bytes buffer(1u << 16);
  Bytes first;
  Bytes sender;
  size_t received = 0;
  while (received < most) {
    switch (waitReadable(socket.get(), stop, deadline, std::chrono::seconds(0))) {
      case Wake::deadline: result.failure = failedCall("recvmsg", ETIMEDOUT); return result;
      case Wake::stopped: result.failure = refusal(Reason::closed, "the runner is closed"); return result;
      case Wake::failed: result.failure = failedCall("poll", errno); return result;
      case Wake::ready: break;
    }
    const size_t room = std::min(buffer.size(), most - received);
    const ssize_t length = receivePiece(socket.get(), buffer.data(), room, &sender);
    if (length == 0) return result;
    if (length < 0) {
      if (errno == EAGAIN || errno == EINTR) continue;
      result.failure = failedCall("recvmsg", errno);
      return result;
    }
    if (conversation.credentials) {
      if (received == 0) result.answer = first = sender;
      // Half an answer from one process and half from another is nobody's word.
      if (sender.empty() || sender != first) {
        result.failure = failedCall("recvmsg", EPROTO);
        return result;
      }
    }
    result.answer.insert(result.answer.end(), buffer.begin(), buffer.begin() + length);
    received += static_cast<size_t>(length);
  }
  if (conversation.length == 0) result.failure = failedCall("recvmsg", EMSGSIZE);
  return result;
}

}  // namespace pw
