#pragma once

#include "requests.h"
#include "stop.h"

namespace pw {

/** In the calling thread's namespace. */
Failure openExchangeSocket(const Exchange& exchange, Fd* socket);

/** Sends, then reads datagrams until one matches, the time is up, or everything is to end. Blocks meanwhile. */
Exchanged exchangeDatagrams(const Exchange& exchange, Fd socket, const Stop& stop);

}  // namespace pw
