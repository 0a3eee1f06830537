// See failure.h.
#include "request/failure.h"

#include <fmt/format.h>

#include <filesystem>
#include <new>

namespace hf2mlx {

Error to_error(const std::exception_ptr& thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (const Error& error) {
    return error;
  } catch (const std::filesystem::filesystem_error& error) {
    const bool full = error.code() == std::errc::no_space_on_device;
    return Error(full ? ErrorCode::kNoSpace : ErrorCode::kIo, error.what());
  } catch (const std::bad_alloc&) {
    return Error(ErrorCode::kIo, "memory: none left", "close other programs, or give --max-memory and fewer --threads");
  } catch (const std::exception& error) {
    return Error(ErrorCode::kInternal, fmt::format("internal error: {}", error.what()),
                 "this is a defect of hf2mlx; please report it with the command line and the model's name");
  }
}

}  // namespace hf2mlx
