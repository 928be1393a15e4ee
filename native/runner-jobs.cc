// What the namespace thread does for each method of the runner.

#include <cerrno>
#include <utility>

#include "conversation.h"
#include "exchange.h"
#include "runner.h"

namespace pw {
namespace {

Failure endedFailure() { return refusal(Reason::closed, "the transaction has ended"); }

}  // namespace

/** A program under way, perhaps with its last instruction at the reaper. */
struct Runner::Run {
  std::shared_ptr<Transaction> transaction;
  std::optional<Execution> execution;
  bool keep = false;
  Done<Ran> done;
};

void Runner::begin(Begin begin, Done<Begun> done) {
  auto options = std::make_shared<Begin>(std::move(begin));
  auto refuse = [done](const Failure& failure) {
    Begun begun;
    begun.failure = failure;
    done(std::move(begun));
  };
  submit({[this, options, done, refuse] {
            if (options->lockPath.empty()) return beginNow(options.get(), Lock(), done);
            locks_.add({options->lockPath, options->lockTime,
                        [this, options, done](Lock lock) { beginNow(options.get(), std::move(lock), done); }, refuse});
          },
          refuse});
}

void Runner::beginNow(Begin* begin, Lock lock, const Done<Begun>& done) {
  Begun begun;
  auto transaction = std::make_shared<Transaction>(++lastTransaction_, begin->protocol, std::move(begin->namespaces));
  transaction->lock = std::move(lock);
  begun.failure = transaction->open(&workplace_);
  if (begun.failure) {
    if (transaction->lock) locks_.released();
  } else {
    begun.transaction = transaction->id();
    transactions_.emplace(begun.transaction, transaction);
    begun.answers = ask(transaction.get(), &begin->queries);
    bool asGuessed = begin->guess.has_value();
    for (size_t i = 0; asGuessed && i < begin->queries.size(); i++) {
      const auto& [error, text, replies] = begun.answers[i];
      const auto& expect = begin->queries[i].expect;
      asGuessed = !expect || expect->holds(error, {replies.data(), replies.size()});
    }
    if (asGuessed) return runGuess(std::move(*begin->guess), transaction, std::move(begun), done);
  }
  done(std::move(begun));
}

/** In the same hop as the view it was made for, which nothing can have changed since: the lock is held. */
void Runner::runGuess(Guess guess, const std::shared_ptr<Transaction>& transaction, Begun begun,
                      const Done<Begun>& done) {
  begun.fault = checkProgram(guess.program, transaction->namespaces(), guess.slots);
  if (!begun.fault.empty()) {
    drop(begun.transaction);
    return done(std::move(begun));
  }
  auto run = std::make_shared<Run>();
  run->transaction = transaction;
  run->done = [done, begun = std::make_shared<Begun>(std::move(begun))](Ran ran) {
    begun->failure = std::move(ran.failure);
    begun->report = std::move(ran.report);
    done(std::move(*begun));
  };
  run->execution.emplace(&workplace_, transaction.get(), std::move(guess.program), guess.slots);
  runNow(run);
}

std::vector<Answer> Runner::ask(Transaction* transaction, std::vector<Query>* queries) {
  std::vector<Answer> answers;
  answers.reserve(queries->size());
  for (Query& query : *queries) {
    Reply reply = transaction->request(&workplace_, query.netns, &query.message);
    if (query.keep) reply.messages = kept(*query.keep, reply.messages);
    answers.push_back({reply.error, std::move(reply.text), std::move(reply.messages)});
  }
  return answers;
}

std::shared_ptr<Transaction> Runner::find(uint64_t id) {
  const auto found = transactions_.find(id);
  return found == transactions_.end() || found->second->reaping ? nullptr : found->second;
}

void Runner::drop(uint64_t id) {
  const auto found = transactions_.find(id);
  if (found == transactions_.end()) return;
  const bool locked = static_cast<bool>(found->second->lock);
  // A job under way may hold the transaction a little longer; the lock is free from here on.
  found->second->lock.release();
  transactions_.erase(found);
  if (locked) locks_.released();
}

void Runner::query(uint64_t id, std::vector<Query> queries, Done<Answers> done) {
  auto list = std::make_shared<std::vector<Query>>(std::move(queries));
  submit({[this, id, list, done] {
            const auto transaction = find(id);
            if (transaction == nullptr) return done({endedFailure(), {}});
            for (const Query& query : *list) {
              if (query.netns >= transaction->namespaces()) {
                return done({{EINVAL, Reason::none, {}, "a query in a namespace the transaction does not have"}, {}});
              }
            }
            done({{}, ask(transaction.get(), list.get())});
          },
          [done](const Failure& failure) {
            done({failure, {}});
          }});
}

void Runner::run(uint64_t id, Program program, Slots slots, bool keep, Done<Ran> done) {
  auto run = std::make_shared<Run>();
  run->keep = keep;
  run->done = std::move(done);
  auto steps = std::make_shared<Program>(std::move(program));
  submit({[this, id, run, steps, slots = std::move(slots)] {
            run->transaction = find(id);
            if (run->transaction == nullptr) return run->done({endedFailure(), {}, {}});
            if (std::string fault = checkProgram(*steps, run->transaction->namespaces(), slots); !fault.empty()) {
              return run->done({{}, fault, {}});
            }
            run->execution.emplace(&workplace_, run->transaction.get(), std::move(*steps), slots);
            runNow(run);
          },
          [run](const Failure& failure) {
            run->done({failure, {}, {}});
          }});
}

void Runner::runNow(const std::shared_ptr<Run>& run) {
  if (run->execution->run()) return handToReaper(run);
  runEnded(run);
}

/** The lock is free before the caller hears of the end. */
void Runner::runEnded(const std::shared_ptr<Run>& run) {
  if (!run->keep) drop(run->transaction->id());
  run->transaction.reset();
  run->done({{}, {}, std::move(run->execution->report)});
}

void Runner::handToReaper(const std::shared_ptr<Run>& run) {
  const Instruction& instruction = run->execution->reap();
  auto reap = std::make_shared<Reap>();
  reap->message = instruction.message;
  const int protocol = run->transaction->protocol();
  const Failure failure = workplace_.home.visit(run->transaction->netns(instruction.netns), [&]() -> Failure {
    if (Failure unopened = NetlinkSocket::open(protocol, &reap->sender)) return unopened;
    if (!instruction.notice) return {};
    // Without a subscription the ack decides.
    if (NetlinkSocket::open(protocol, &reap->listener) || reap->listener.subscribe(instruction.notice->group)) {
      reap->listener.close();
    }
    return {};
  });
  if (failure) {
    Reply reply;
    reply.error = failure.error;
    reply.syscall = failure.syscall;
    reply.text = failure.text;
    run->execution->reaped(reply);
    return runEnded(run);
  }
  if (instruction.notice) {
    reap->type = instruction.notice->type;
    reap->offset = instruction.notice->offset;
    reap->value = run->execution->reapedValue();
  }
  reap->ended = [this, run](bool byNotice, const Reply& ack) {
    const bool succeeded = byNotice || ack.error == 0;
    if (!succeeded) {
      enqueue({[this, run, ack] {
                 reaping_--;
                 run->transaction->reaping = false;
                 run->execution->reaped(ack);
                 run->execution->report.via = "ack";
                 runEnded(run);
               },
               [run](const Failure& failure) {
                 run->done({failure, {}, {}});
               },
               true});
      return;
    }
    run->execution->reaped(ack);
    run->execution->report.via = byNotice ? "notice" : "ack";
    Ran ran{{}, {}, std::move(run->execution->report)};
    // Free for other processes now; this runner's own next in line is let in by the namespace thread.
    const bool locked = static_cast<bool>(run->transaction->lock);
    if (!run->keep) run->transaction->lock.release();
    const auto transaction = std::move(run->transaction);
    enqueue({[this, id = transaction->id(), transaction, keep = run->keep, locked] {
               reaping_--;
               transaction->reaping = false;
               if (keep) return;
               drop(id);
               if (locked) locks_.released();
             },
             [](const Failure&) {}, true});
    run->done(std::move(ran));
  };
  run->transaction->reaping = true;
  reaping_++;
  reaper_.reap(std::move(reap));
}

void Runner::end(uint64_t id, Done<Failure> done) {
  submit({[this, id, done] {
            if (find(id) != nullptr) drop(id);
            done({});
          },
          // A closed runner has ended all of them.
          [done](const Failure&) { done({}); }});
}

void Runner::createNetns(Done<Created> done) {
  submit({[this, done] {
            auto netns = std::make_shared<Netns>();
            Failure failure = workplace_.home.create(netns.get());
            done({failure, failure ? nullptr : std::move(netns)});
          },
          [done](const Failure& failure) {
            done({failure, nullptr});
          }});
}

void Runner::readSysctl(std::shared_ptr<const Netns> netns, std::string path, Done<Value> done) {
  submit({[this, netns = std::move(netns), path = std::move(path), done] {
            Value value;
            value.failure = workplace_.home.visit(netns.get(), [&] { return pw::readSysctl(path, &value.text); });
            done(std::move(value));
          },
          [done](const Failure& failure) {
            done({failure, {}});
          }});
}

void Runner::exchange(Exchange exchange, Done<Exchanged> done) {
  auto options = std::make_shared<Exchange>(std::move(exchange));
  submit({[this, options, done] {
            auto socket = std::make_shared<Fd>();
            const Failure failure =
                workplace_.home.visit(options->netns.get(), [&] { return openExchangeSocket(*options, socket.get()); });
            if (failure) return done({failure, std::nullopt});
            options->netns.reset();
            reaper_.wait(
                [this, options, socket, done] { done(exchangeDatagrams(*options, std::move(*socket), stop_)); });
          },
          [done](const Failure& failure) {
            done({failure, std::nullopt});
          }});
}

void Runner::converse(Conversation conversation, Done<Conversed> done) {
  auto options = std::make_shared<Conversation>(std::move(conversation));
  submit({[this, options, done] {
            auto socket = std::make_shared<Fd>();
            const Failure failure =
                workplace_.home.visit(options->netns.get(), [&] { return openConversationSocket(socket.get()); });
            if (failure) return done({failure, {}});
            options->netns.reset();
            reaper_.wait([this, options, socket, done] { done(pw::converse(*options, std::move(*socket), stop_)); });
          },
          [done](const Failure& failure) {
            done({failure, {}});
          }});
}

void Runner::watch(Watching watching, Done<Watched> done) {
  auto options = std::make_shared<Watching>(std::move(watching));
  submit({[this, options, done] {
            auto watch = std::make_shared<Watch>(++lastWatch_, *options);
            const Failure failure =
                workplace_.home.visit(options->netns.get(), [&] { return watch->open(*options); });
            // From here on only the watch's own sockets hold the namespace.
            options->netns.reset();
            if (failure) return done({failure, 0});
            reaper_.watch(std::move(watch), done);
          },
          [done](const Failure& failure) {
            done({failure, 0});
          }});
}

void Runner::look(uint64_t watch, std::vector<Query> queries, Done<Looked> done) {
  if (stop_.asked()) return done({refusal(Reason::closed, "the runner is closed"), std::nullopt});
  reaper_.look(watch, std::move(queries), std::move(done));
}

void Runner::unwatch(uint64_t watch, Done<Failure> done) {
  // A runner that is closing ends all of them.
  if (stop_.asked()) return done({});
  reaper_.unwatch(watch, std::move(done));
}

}  // namespace pw
