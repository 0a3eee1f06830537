// Owner of a file descriptor.
#pragma once

#include <unistd.h>

#include <utility>

namespace hf2mlx {

class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  ~Fd() { reset(); }
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }

  int get() const { return fd_; }
  bool is_open() const { return fd_ >= 0; }

 private:
  void reset() {
    if (is_open()) ::close(std::exchange(fd_, -1));
  }

  int fd_ = -1;
};

}  // namespace hf2mlx
