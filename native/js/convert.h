#pragma once

#include <napi.h>

#include <vector>

#include "../runner.h"
#include "words.h"

namespace pw {

// From JavaScript; faults are kept by the reader.
Program readProgram(ObjectReader* reader, napi_value value);
Slots readSlots(ObjectReader* reader, napi_value value);
/** null = home. */
std::shared_ptr<const Netns> readNetns(ObjectReader* reader, napi_value value);
Keep readKeep(ObjectReader* reader, napi_value value);
std::vector<Query> readQueries(ObjectReader* reader, napi_value value, size_t namespaces);
Watching readWatching(ObjectReader* reader, napi_value value);

// To JavaScript.
/** An Error with errno, syscall and reason. */
Napi::Value errorOf(Napi::Env env, const Failure& failure);
Napi::Value arrayOf(Words* words, const std::vector<Answer>& answers);
Napi::Value objectOf(Words* words, const Report& report);
Napi::Value bytesOf(Napi::Env env, const Bytes& bytes);

}  // namespace pw
