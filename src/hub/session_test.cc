#include "hub/session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/expect_error.h"
#include "hub/fake_http.h"

namespace hf2mlx {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class Sessions : public testing::Test {
 protected:
  HubOptions options_{"https://hub.example", "secret", false, 10};
  std::vector<HttpRequest> log_;
  FakeBody body_;

  HubAnswer get(const HubRequest& request, FakeHttp::Answer answer) {
    return Session(options_, std::make_unique<FakeHttp>(std::move(answer), log_)).get(request, body_);
  }
};

TEST_F(Sessions, OtherHostsNeverSeeTheToken) {
  const HubAnswer answer = get({"https://hub.example/a/b/resolve/main/x", 5, 0, "etag"}, [](const HttpRequest& request) {
    if (request.url == "https://hub.example/a/b/resolve/main/x") return fake_answer(307, {{"location", "/c/d/resolve/main/x"}}, "moved");
    if (request.url == "https://hub.example/c/d/resolve/main/x") {
      return fake_answer(302, {{"location", "https://cdn.example/x"}, {"x-linked-etag", "\"1\""}}, "found");
    }
    return fake_answer(206, {{"etag", "\"other\""}}, "content");
  });
  ASSERT_EQ(log_.size(), 3u);
  EXPECT_THAT(log_[0].headers, ElementsAre("Range: bytes=5-", "If-Range: \"etag\"", "Authorization: Bearer secret"));
  EXPECT_EQ(log_[1].headers, log_[0].headers);
  EXPECT_THAT(log_[2].headers, ElementsAre("Range: bytes=5-"));
  EXPECT_EQ(body_.text, "content");
  EXPECT_EQ(answer.hub.header("x-linked-etag"), "\"1\"");
  EXPECT_EQ(answer.last.status, 206);
  EXPECT_FALSE(answer.from_hub);
}

TEST_F(Sessions, ARangeMayEnd) {
  get({"https://hub.example/", 0, 5, "etag"}, [](const HttpRequest&) { return fake_answer(206, {}); });
  get({"https://hub.example/", 5, 7}, [](const HttpRequest&) { return fake_answer(206, {}); });
  EXPECT_THAT(log_[0].headers, ElementsAre("Range: bytes=0-4", "If-Range: \"etag\"", "Authorization: Bearer secret"));
  EXPECT_THAT(log_[1].headers, ElementsAre("Range: bytes=5-6", "Authorization: Bearer secret"));
}

TEST_F(Sessions, AnotherPortOrSchemeIsAnotherHost) {
  for (const char* place : {"https://hub.example:444/x", "http://hub.example/x", "https://hub.example.evil/x"}) {
    log_.clear();
    get({"https://hub.example/"}, [&](const HttpRequest& request) {
      return request.url == place ? fake_answer(200, {}) : fake_answer(302, {{"location", place}});
    });
    ASSERT_EQ(log_.size(), 2u);
    EXPECT_THAT(log_[1].headers, IsEmpty()) << place;
  }
}

TEST_F(Sessions, MirrorsMaySendToTheHubItself) {
  get({"https://hub.example/"}, [](const HttpRequest& request) {
    return request.url == "https://huggingface.co/x" ? fake_answer(200, {}) : fake_answer(302, {{"location", "https://huggingface.co/x"}});
  });
  EXPECT_THAT(log_[1].headers, ElementsAre("Authorization: Bearer secret"));
}

TEST_F(Sessions, WhatIsNoSuccessHasNoBody) {
  const HubAnswer answer = get({"https://hub.example/"}, [](const HttpRequest&) { return fake_answer(503, {}, "sorry"); });
  EXPECT_EQ(answer.last.status, 503);
  EXPECT_EQ(body_.begins, 0);
  EXPECT_EQ(body_.text, "");
}

TEST_F(Sessions, RedirectsInACircleEnd) {
  const Error error = error_of([&] {
    get({"https://hub.example/"}, [](const HttpRequest&) { return fake_answer(302, {{"location", "/"}}); });
  });
  EXPECT_THAT(error, IsError(ErrorCode::kNetwork, HasSubstr("redirected more than 10 times")));
}

}  // namespace
}  // namespace hf2mlx
