#include "words.h"

#include <cmath>

namespace pw {
namespace {

#define PW_SPELLING(name) #name,
constexpr const char* kSpelling[] = {PW_WORDS(PW_SPELLING)};
#undef PW_SPELLING

/** Without the underscore that keeps a word apart from a macro. */
std::string spelling(const char* word) {
  std::string text = word;
  if (text.back() == '_') text.pop_back();
  return text;
}

}  // namespace

void Words::install(Napi::Env env, Environment* environment) {
  Napi::Array array = Napi::Array::New(env, std::size(kSpelling));
  for (uint32_t i = 0; i < std::size(kSpelling); i++) array.Set(i, Napi::String::New(env, spelling(kSpelling[i])));
  environment->words = Napi::Persistent(array);
}

Words::Words(Napi::Env env) : env_(env), array_(Environment::of(env)->words.Value()) {}

napi_value Words::operator[](Word word) {
  napi_value& value = values_[static_cast<size_t>(word)];
  if (value == nullptr) napi_get_element(env_, array_, static_cast<uint32_t>(word), &value);
  return value;
}

void Words::set(napi_value object, Word word, napi_value value) {
  napi_set_property(env_, object, (*this)[word], value);
}

bool ObjectReader::succeeded(napi_status status) {
  if (status == napi_ok) return true;
  napi_value exception;
  bool pending = false;
  if (napi_is_exception_pending(words_->env(), &pending) == napi_ok && pending) {
    napi_get_and_clear_last_exception(words_->env(), &exception);
  }
  fail("a property that cannot be read");
  return false;
}

napi_value ObjectReader::get(napi_value object, Word word) {
  if (failed()) return nullptr;
  napi_value value;
  if (!succeeded(napi_get_property(words_->env(), object, (*words_)[word], &value))) return nullptr;
  napi_valuetype type;
  napi_typeof(words_->env(), value, &type);
  return type == napi_undefined ? nullptr : value;
}

napi_value ObjectReader::element(napi_value array, uint32_t index) {
  if (failed()) return nullptr;
  napi_value value;
  return succeeded(napi_get_element(words_->env(), array, index, &value)) ? value : nullptr;
}

uint32_t ObjectReader::length(napi_value array, const char* what, uint32_t most) {
  if (failed()) return 0;
  bool is = false;
  uint32_t length = 0;
  if (array == nullptr || napi_is_array(words_->env(), array, &is) != napi_ok || !is) {
    fail(std::string(what) + ": an array is needed");
    return 0;
  }
  napi_get_array_length(words_->env(), array, &length);
  if (length > most) fail(std::string(what) + ": more than " + std::to_string(most));
  return failed() ? 0 : length;
}

bool ObjectReader::isNull(napi_value value) {
  napi_valuetype type;
  return value != nullptr && napi_typeof(words_->env(), value, &type) == napi_ok && type == napi_null;
}

uint64_t ObjectReader::integer(napi_value value, const char* what, uint64_t most) {
  if (failed()) return 0;
  double number;
  if (value == nullptr || napi_get_value_double(words_->env(), value, &number) != napi_ok ||
      !(number >= 0 && number <= static_cast<double>(most)) || std::floor(number) != number) {
    fail(std::string(what) + ": an integer from 0 to " + std::to_string(most) + " is needed");
    return 0;
  }
  return static_cast<uint64_t>(number);
}

std::string ObjectReader::text(napi_value value, const char* what) {
  if (failed()) return {};
  size_t length = 0;
  if (value == nullptr || napi_get_value_string_utf8(words_->env(), value, nullptr, 0, &length) != napi_ok) {
    fail(std::string(what) + ": a string is needed");
    return {};
  }
  // The call writes a terminating zero, for which a string has room.
  std::string text(length, '\0');
  napi_get_value_string_utf8(words_->env(), value, text.data(), length + 1, &length);
  return text;
}

Bytes ObjectReader::bytes(napi_value value, const char* what, size_t most) {
  if (failed()) return {};
  bool is = false;
  napi_typedarray_type type;
  size_t length = 0;
  void* data = nullptr;
  if (value == nullptr || napi_is_typedarray(words_->env(), value, &is) != napi_ok || !is ||
      napi_get_typedarray_info(words_->env(), value, &type, &length, &data, nullptr, nullptr) != napi_ok ||
      type != napi_uint8_array) {
    fail(std::string(what) + ": a Uint8Array is needed");
    return {};
  }
  if (length > most) {
    fail(std::string(what) + ": " + std::to_string(length) + " bytes, " + std::to_string(most) + " are possible");
    return {};
  }
  const auto* begin = static_cast<const uint8_t*>(data);
  return length == 0 ? Bytes() : Bytes(begin, begin + length);
}

bool ObjectReader::boolean(napi_value value, const char* what) {
  if (failed()) return false;
  bool is = false;
  if (value == nullptr || napi_get_value_bool(words_->env(), value, &is) != napi_ok) {
    fail(std::string(what) + ": a boolean is needed");
  }
  return is;
}

napi_value ObjectReader::object(napi_value value, const char* what) {
  if (failed()) return nullptr;
  napi_valuetype type;
  if (value != nullptr && napi_typeof(words_->env(), value, &type) == napi_ok && type == napi_object) return value;
  fail(std::string(what) + ": an object is needed");
  return nullptr;
}

uint64_t ObjectReader::integer(napi_value object, Word word, const char* what, uint64_t most) {
  return integer(get(object, word), what, most);
}

std::optional<uint32_t> ObjectReader::optionalIndex(napi_value object, Word word, const char* what) {
  const napi_value value = get(object, word);
  if (value == nullptr) return std::nullopt;
  return static_cast<uint32_t>(integer(value, what, UINT32_MAX));
}

bool ObjectReader::flag(napi_value object, Word word, const char* what) {
  const napi_value value = get(object, word);
  return value != nullptr && boolean(value, what);
}

}  // namespace pw
