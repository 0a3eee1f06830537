#include "hf2mlx/places.h"

#include <gtest/gtest.h>

#include "base/temp_folder.h"

namespace hf2mlx {
namespace {

// What the operating system knows when HOME is not set.
std::optional<std::string> home_of(const std::string& user) {
  if (user.empty()) return "/home/me";
  if (user == "ann") return "/home/ann/";
  return std::nullopt;
}

std::string cache(const Variables& variables) { return places_of(variables, home_of).hub_cache.string(); }

TEST(HubCache, Precedence) {
  EXPECT_EQ(cache({{"HOME", "/h"}}), "/h/.cache/huggingface/hub");
  EXPECT_EQ(cache({{"HOME", "/h"}, {"XDG_CACHE_HOME", "/xdg"}}), "/xdg/huggingface/hub");
  EXPECT_EQ(cache({{"XDG_CACHE_HOME", "/xdg"}, {"HF_HOME", "/hf"}}), "/hf/hub");
  EXPECT_EQ(cache({{"HF_HOME", "/hf"}, {"HUGGINGFACE_HUB_CACHE", "/old"}}), "/old");
  EXPECT_EQ(cache({{"HF_HOME", "/hf"}, {"HUGGINGFACE_HUB_CACHE", "/old"}, {"HF_HUB_CACHE", "/new"}}), "/new");
}

TEST(HubCache, HomeOfTheUserWithoutHome) { EXPECT_EQ(cache({}), "/home/me/.cache/huggingface/hub"); }

TEST(HubCache, ExpandsTheUser) {
  EXPECT_EQ(cache({{"HOME", "/h"}, {"HF_HOME", "~"}}), "/h/hub");
  EXPECT_EQ(cache({{"HOME", "/h/"}, {"HF_HUB_CACHE", "~/c"}}), "/h/c");
  EXPECT_EQ(cache({{"HF_HUB_CACHE", "~ann/c"}}), "/home/ann/c");
  EXPECT_EQ(cache({{"HF_HUB_CACHE", "~nobody/c"}}), "~nobody/c");
  EXPECT_EQ(cache({{"HF_HUB_CACHE", "/a/~/c"}}), "/a/~/c");
  EXPECT_EQ(cache({{"HOME", "/"}, {"HF_HUB_CACHE", "~"}}), "/");
}

TEST(HubCache, ExpandsVariables) {
  EXPECT_EQ(cache({{"D", "/data"}, {"HF_HUB_CACHE", "$D/hub"}}), "/data/hub");
  EXPECT_EQ(cache({{"D", "/data"}, {"HF_HUB_CACHE", "${D}x/$D_2"}}), "/datax/$D_2");
  EXPECT_EQ(cache({{"D", "$E"}, {"E", "no"}, {"HF_HUB_CACHE", "/$D"}}), "/$E");  // once, not again
  EXPECT_EQ(cache({{"HF_HUB_CACHE", "/a$/${/${}$"}}), "/a$/${/${}$");
  EXPECT_EQ(cache({{"D", "/data"}, {"XDG_CACHE_HOME", "$D"}}), "/data/huggingface/hub");
}

TEST(HubCache, AnEmptyVariableCountsAsSet) {
  EXPECT_EQ(cache({{"HOME", "/h"}, {"HF_HUB_CACHE", ""}}), ".");
  EXPECT_EQ(cache({{"HOME", "/h"}, {"HF_HOME", ""}}), "hub");
  EXPECT_EQ(cache({{"HOME", "/h"}, {"XDG_CACHE_HOME", ""}}), "huggingface/hub");
}

TEST(Places, Home) {
  EXPECT_EQ(places_of({{"HOME", "/h"}}, home_of).home, "/h");
  EXPECT_EQ(places_of({}, home_of).home, "/home/me");
  EXPECT_EQ(places_of({}).home, "~");  // nobody was asked
}

HubOptions hub(const Variables& variables) { return places_of(variables, home_of).hub; }

TEST(Hub, Endpoint) {
  EXPECT_EQ(hub({}).endpoint, "https://huggingface.co");
  EXPECT_EQ(hub({{"HF_ENDPOINT", ""}}).endpoint, "https://huggingface.co");
  EXPECT_EQ(hub({{"HF_ENDPOINT", "http://mirror:8080//"}}).endpoint, "http://mirror:8080");
}

TEST(Hub, Offline) {
  EXPECT_FALSE(hub({}).offline);
  EXPECT_FALSE(hub({{"HF_HUB_OFFLINE", "0"}}).offline);
  EXPECT_TRUE(hub({{"HF_HUB_OFFLINE", "true"}}).offline);
  EXPECT_TRUE(hub({{"HF_HUB_OFFLINE", ""}, {"TRANSFORMERS_OFFLINE", "YES"}}).offline);
  EXPECT_FALSE(hub({{"HF_HUB_OFFLINE", "0"}, {"TRANSFORMERS_OFFLINE", "1"}}).offline);
}

TEST(Hub, Timeout) {
  EXPECT_EQ(hub({{"SSL_CERT_FILE", "/etc/company.pem"}}).ca_file, "/etc/company.pem");
  EXPECT_TRUE(hub({}).ca_file.empty());
  EXPECT_EQ(hub({}).timeout_seconds, 10u);
  EXPECT_EQ(hub({{"HF_HUB_DOWNLOAD_TIMEOUT", "45"}}).timeout_seconds, 45u);
  for (const char* none : {"0", "", "soon", "-1", "5s"}) EXPECT_EQ(hub({{"HF_HUB_DOWNLOAD_TIMEOUT", none}}).timeout_seconds, 10u) << none;
}

TEST(Hub, TokenOfAVariable) {
  EXPECT_EQ(hub({{"HF_TOKEN", " hf_1\r\n"}}).token, "hf_1");
  EXPECT_EQ(hub({{"HF_TOKEN", ""}, {"HUGGING_FACE_HUB_TOKEN", "hf_2"}}).token, "hf_2");
  EXPECT_EQ(hub({{"HF_TOKEN", "hf_1"}, {"HF_HUB_DISABLE_IMPLICIT_TOKEN", "1"}}).token, "");
}

TEST(Hub, TokenOfAFile) {
  const TempFolder folder;
  folder.put("token", "hf_file\n");
  const auto token = [&](Variables variables) {
    variables.try_emplace("HF_HOME", folder.path().string());
    return hub_options(places_of(variables, home_of)).token;
  };
  EXPECT_EQ(token({}), "hf_file");
  EXPECT_EQ(token({{"HF_TOKEN", "hf_1"}}), "hf_1");
  EXPECT_EQ(token({{"HF_HUB_DISABLE_IMPLICIT_TOKEN", "1"}}), "");
  EXPECT_EQ(token({{"HF_TOKEN_PATH", (folder / "none").string()}}), "");
  folder.put("other", "hf_other");
  EXPECT_EQ(token({{"D", folder.path().string()}, {"HF_TOKEN_PATH", "$D/other"}}), "hf_other");
}

}  // namespace
}  // namespace hf2mlx
