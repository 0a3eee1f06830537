// For tests: a hub made of a function.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "hub/session.h"

namespace hf2mlx {

struct FakeAnswer {
  HttpResponse response;
  std::string body;
};

inline FakeAnswer fake_answer(int status, std::map<std::string, std::string> headers, std::string body = "") {
  FakeAnswer answer;
  answer.response.status = status;
  answer.response.headers = std::move(headers);
  answer.body = std::move(body);
  return answer;
}

// A connection that breaks after the body.
inline FakeAnswer broken(FakeAnswer answer) {
  answer.response.failure = Failure::kTransient;
  answer.response.why = "broken";
  return answer;
}

class FakeHttp final : public Http {
 public:
  using Answer = std::function<FakeAnswer(const HttpRequest&)>;

  FakeHttp(Answer answer, std::vector<HttpRequest>& log) : answer_(std::move(answer)), log_(log) {}

  HttpResponse send(const HttpRequest& request, HttpBody& body) override {
    log_.push_back(request);
    const FakeAnswer answer = answer_(request);
    if (answer.response.status != 0) body.begin(answer.response);
    body.append(std::as_bytes(std::span(answer.body)));
    return answer.response;
  }

 private:
  Answer answer_;
  std::vector<HttpRequest>& log_;
};

class FakeBody final : public HubBody {
 public:
  void begin(const HubAnswer&) override { ++begins; }
  void append(std::span<const std::byte> data) override { text.append(reinterpret_cast<const char*>(data.data()), data.size()); }

  int begins = 0;
  std::string text;
};

}  // namespace hf2mlx
