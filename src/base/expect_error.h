// For tests: what a call throws.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hf2mlx/error.h"

namespace hf2mlx {

// Matches an Error by its code, message and hint.
inline auto IsError(ErrorCode code, const testing::Matcher<std::string>& message, const testing::Matcher<std::string>& hint = testing::_) {
  using testing::Property;
  return testing::AllOf(Property("code", &Error::code, code), Property("what", &Error::what, message),
                        Property("hint", &Error::hint, hint));
}

// The Error that the call throws; one of the code kInternal, "no error", when there is none.
template <typename Call>
Error error_of(const Call& call) {
  try {
    call();
  } catch (const Error& error) {
    return error;
  }
  return Error(ErrorCode::kInternal, "no error");
}

}  // namespace hf2mlx
