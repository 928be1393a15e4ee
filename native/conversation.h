#pragma once

#include "fd.h"
#include "requests.h"
#include "stop.h"

namespace pw {

/** The network namespace that it is made in is the one whose abstract names it reaches, wherever it is used. */
Failure openConversationSocket(Fd* socket);

/**
 * Connects to a unix stream socket, sends, and reads to the end. For the one-shot command, to which Node's own sockets
 * cost five milliseconds of start-up, and for those whom one asks by the abstract namespace and with credentials, which
 * Node's cannot do. Blocks until the answer is whole, the other side has closed, the time is up (ETIMEDOUT) or everything
 * is to end.
 */
Conversed converse(const Conversation& conversation, Fd socket, const Stop& stop);

}  // namespace pw
