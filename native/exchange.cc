#include "exchange.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

namespace pw {

Failure openExchangeSocket(const Exchange& exchange, Fd* socket) {
  *socket = Fd(::socket(exchange.domain, exchange.type | SOCK_CLOEXEC | SOCK_NONBLOCK, exchange.protocol));
  return *socket ? Failure{} : failedCall("socket", errno);
}

Exchanged exchangeDatagrams(const Exchange& exchange, Fd socket, const Stop& stop) {
  const auto deadline = Clock::now() + exchange.time;
  const auto* address = reinterpret_cast<const sockaddr*>(exchange.address.data());
  if (::sendto(socket.get(), exchange.payload.data(), exchange.payload.size(), MSG_NOSIGNAL, address,
               static_cast<socklen_t>(exchange.address.size())) < 0) {
    return {failedCall("sendto", errno), std::nullopt};
  }
  Bytes buffer(1u << 16);
  for (;;) {
    switch (waitReadable(socket.get(), stop, deadline, std::chrono::seconds(0))) {
      case Wake::deadline: return {{}, std::nullopt};
      case Wake::stopped: return {refusal(Reason::closed, "the runner is closed"), std::nullopt};
      case Wake::failed: return {failedCall("poll", errno), std::nullopt};
      case Wake::ready: break;
    }
    const ssize_t length = ::recvfrom(socket.get(), buffer.data(), buffer.size(), 0, nullptr, nullptr);
    if (length < 0) {
      if (errno == EAGAIN || errno == EINTR) continue;
      return {failedCall("recvfrom", errno), std::nullopt};
    }
    const View datagram{buffer.data(), static_cast<size_t>(length)};
    if (datagram.contains(exchange.offset, exchange.value.size()) &&
        std::equal(exchange.value.begin(), exchange.value.end(), datagram.data + exchange.offset)) {
      return {{}, Bytes(datagram.data, datagram.data + datagram.size)};
    }
    // A socket that always has something else to say must not keep us beyond the time.
    if (Clock::now() >= deadline) return {{}, std::nullopt};
  }
}

}  // namespace pw
