#include "hub/hub_error.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/expect_error.h"
#include "hub/retry.h"

namespace hf2mlx {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

const HubOptions kAnonymous{"https://hub", "", false, 10};
const HubOptions kWithToken{"https://hub", "secret", false, 10};

HubAnswer answer(int status, std::map<std::string, std::string> headers = {}) {
  HubAnswer out;
  out.last.status = status;
  out.last.headers = std::move(headers);
  return out;
}

Error error(const HubOptions& options, const HubAnswer& from) { return hub_error(options, {"org/name", "v1", ""}, from); }

TEST(HubError, MissingAndPrivateLookTheSame) {
  for (const HubAnswer& from : {answer(401), answer(404), answer(401, {{"x-error-code", "RepoNotFound"}})}) {
    EXPECT_THAT(
        error(kAnonymous, from),
        IsError(ErrorCode::kNotFound, HasSubstr("org/name: no such repository at https://hub, or a private"), HasSubstr("set HF_TOKEN")));
    EXPECT_THAT(error(kWithToken, from).hint(), HasSubstr("use a token that may read it"));
  }
}

TEST(HubError, Revision) {
  EXPECT_THAT(error(kAnonymous, answer(404, {{"x-error-code", "RevisionNotFound"}})),
              IsError(ErrorCode::kNotFound, "org/name: no revision v1", HasSubstr("https://hub/org/name/tree/main")));
}

TEST(HubError, Gated) {
  const HubAnswer from = answer(403, {{"x-error-code", "GatedRepo"}});
  EXPECT_THAT(error(kAnonymous, from),
              IsError(ErrorCode::kAuth, HasSubstr("one by one"), HasSubstr("ask for access at https://hub/org/name, ")));
  EXPECT_THAT(error(kWithToken, from).hint(), HasSubstr("that may read gated repositories"));
}

TEST(HubError, RefusedToken) {
  const HubAnswer from = answer(401, {{"x-error-message", "Invalid credentials in Authorization header"}});
  EXPECT_THAT(error(kWithToken, from), IsError(ErrorCode::kAuth, HasSubstr("token is refused"), HasSubstr("https://hub/settings/tokens")));
}

TEST(HubError, TheReasonOfTheHubIsTold) {
  EXPECT_THAT(error(kWithToken, answer(403, {{"x-error-message", "Access to this resource is disabled."}})),
              IsError(ErrorCode::kAuth, HasSubstr("Access to this resource is disabled.")));
  EXPECT_THAT(error(kWithToken, answer(500)), IsError(ErrorCode::kNetwork, HasSubstr("the hub answers 500")));
}

TEST(HubError, Quota) {
  EXPECT_THAT(error(kAnonymous, answer(429, {{"retry-after", "40"}})),
              IsError(ErrorCode::kNetwork, HasSubstr("429"), AllOf(HasSubstr("40 seconds"), HasSubstr("HF_TOKEN"))));
  EXPECT_THAT(error(kWithToken, answer(429)).hint(), AllOf(HasSubstr("later"), Not(HasSubstr("HF_TOKEN"))));
}

TEST(HubError, NoConnection) {
  HubAnswer from;
  from.last.failure = Failure::kTransient;
  from.last.why = "no route";
  EXPECT_THAT(error(kAnonymous, from),
              IsError(ErrorCode::kNetwork, "org/name: https://hub cannot be reached: no route", HasSubstr("proxy")));
}

std::vector<int> pauses(const std::vector<HubAnswer>& answers, bool& gave_up) {
  std::vector<int> pauses;
  Retry retry([&](std::chrono::milliseconds time) { pauses.push_back(static_cast<int>(time.count())); });
  gave_up = false;
  for (const HubAnswer& from : answers) gave_up = !retry.again(from);
  return pauses;
}

TEST(Retries, PausesGrowAndEnd) {
  bool gave_up = false;
  EXPECT_THAT(pauses(std::vector<HubAnswer>(4, answer(503)), gave_up), ElementsAre(500, 1000, 2000, 4000));
  EXPECT_FALSE(gave_up);
  EXPECT_THAT(pauses(std::vector<HubAnswer>(5, answer(503)), gave_up), ElementsAre(500, 1000, 2000, 4000));
  EXPECT_TRUE(gave_up);
}

TEST(Retries, TheHubSaysHowLong) {
  bool gave_up = false;
  EXPECT_THAT(pauses({answer(429, {{"retry-after", "7"}})}, gave_up), ElementsAre(7000));
  EXPECT_THAT(pauses({answer(429, {{"retry-after", "3600"}})}, gave_up), IsEmpty());
  EXPECT_TRUE(gave_up);
  const char* const moment = "Wed, 21 Oct 2015 00:00:05 GMT";
  EXPECT_THAT(pauses({answer(429, {{"retry-after", moment}, {"date", "Tue, 20 Oct 2015 23:59:45 GMT"}})}, gave_up), ElementsAre(20'000));
  for (const char* now : {"", moment, "Wed, 21 Oct 2015 00:00:06 GMT", "Wed, 21 octo 2015 00:00:00 GMT", "Wed, 41 Oct 2015 00:00:00 GMT"}) {
    EXPECT_THAT(pauses({answer(429, {{"retry-after", moment}, {"date", now}})}, gave_up), ElementsAre(500)) << now;
  }
  EXPECT_THAT(pauses({answer(429, {{"retry-after", "soon"}, {"date", moment}})}, gave_up), ElementsAre(500));
  EXPECT_THAT(pauses({answer(429, {{"ratelimit", "\"api\";r=0;t=300"}, {"retry-after", "7"}})}, gave_up), ElementsAre(301'000));
  EXPECT_THAT(pauses({answer(429, {{"ratelimit", "\"api\" ; r=3; t=55"}, {"retry-after", "7"}})}, gave_up), ElementsAre(7000));
  EXPECT_THAT(pauses({answer(503, {{"ratelimit", "\"api\";r=0;t=55"}})}, gave_up), ElementsAre(500));
  EXPECT_THAT(pauses({answer(429, {{"ratelimit", "no;thing"}})}, gave_up), ElementsAre(500));
}

TEST(Retries, WhatWillNotChangeIsNotTriedAgain) {
  bool gave_up = false;
  EXPECT_THAT(pauses({answer(404)}, gave_up), IsEmpty());
  EXPECT_TRUE(gave_up);
  HubAnswer expired = answer(403);
  expired.from_hub = false;
  EXPECT_THAT(pauses({expired}, gave_up), ElementsAre(500));
  HubAnswer certificate;
  certificate.last.failure = Failure::kLasting;
  EXPECT_THAT(pauses({certificate}, gave_up), IsEmpty());
}

TEST(Retries, ProgressCountsAnew) {
  int slept = 0;
  Retry retry([&](std::chrono::milliseconds) { ++slept; });
  for (int i = 0; i < 20; ++i) {
    retry.made_progress();
    EXPECT_TRUE(retry.again(answer(503)));
  }
  EXPECT_EQ(slept, 20);
}

}  // namespace
}  // namespace hf2mlx
