// See upload_api.h.
#include "hub/upload_api.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>

#include "base/base64.h"
#include "hub/text_body.h"
#include "io/text_reader.h"

namespace hf2mlx {
namespace {

constexpr const char* kJson = "application/json";
constexpr const char* kLargeFileJson = "application/vnd.git-lfs+json";
constexpr int kConflict = 409;
constexpr size_t kFilesInARequest = 256;

// What an answer must have. Whatever else goes wrong with it is an error of the same kind.
template <typename Take>
auto taken(const Json& answer, const std::string& url, const Take& take) {
  try {
    return take(answer);
  } catch (const Json::exception& problem) {
    throw Error(ErrorCode::kCorrupt, fmt::format("{}: {}", url, problem.what()), "check HF_ENDPOINT: is it a Hugging Face hub?");
  }
}

// In a header of the answer, the addresses of the parts have their numbers as names.
std::vector<std::string> part_addresses(const Json& header) {
  std::map<unsigned, std::string> by_number;
  for (const auto& [name, value] : header.items()) {
    unsigned number = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
    if (error == std::errc() && end == name.data() + name.size()) by_number[number] = value.get<std::string>();
  }
  std::vector<std::string> parts;
  for (auto& [number, address] : by_number) parts.push_back(std::move(address));
  return parts;
}

uint64_t number_of(const Json& value) {
  if (value.is_number_unsigned()) return value;
  const std::string text = value;
  uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

LargeFileTarget parse_target(const Json& object, uint64_t size_bytes) {
  LargeFileTarget target;
  const auto actions = object.find("actions");
  target.is_there = actions == object.end() || !actions->contains("upload");
  if (target.is_there) return target;
  const Json& upload = actions->at("upload");
  target.url = upload.at("href");
  if (actions->contains("verify")) target.verify_url = actions->at("verify").at("href");
  const Json header = upload.value("header", Json::object());
  if (!header.is_object() || !header.contains("chunk_size")) return target;
  target.part_bytes = number_of(header.at("chunk_size"));
  target.parts = part_addresses(header);
  const uint64_t expected = target.part_bytes == 0 ? 0 : (size_bytes + target.part_bytes - 1) / target.part_bytes;
  if (target.parts.size() == expected && expected > 0) return target;
  throw Error(ErrorCode::kCorrupt,
              fmt::format("the hub takes {} parts of {} bytes for a file of {}", target.parts.size(), target.part_bytes, size_bytes),
              "try again later");
}

}  // namespace

std::string UploadApi::repo_address() const { return fmt::format("{}/api/models/{}", session_.options().endpoint, repo_.repo_id); }

HubAnswer UploadApi::send(const HubSending& sending, HubBody& body, int other_status) {
  Retry retry(sleep_);
  for (;;) {
    HubAnswer answer = session_.send(sending, body);
    const bool is_fine = answer.last.is_success() || answer.last.status == other_status;
    if (is_fine && answer.last.failure == Failure::kNone) return answer;
    if (!retry.again(answer)) throw hub_error(session_.options(), repo_, answer);
  }
}

Json UploadApi::post(const std::string& url, const Json& content) {
  const TextReader text(content.dump());
  TextBody body(url);
  send({"POST", url, text, kJson}, body);
  return body.text.empty() ? Json() : parse_json(body.text, url);
}

std::optional<Error> UploadApi::create() {
  const std::string url = session_.options().endpoint + "/api/repos/create";
  const size_t slash = repo_.repo_id.find('/');
  const TextReader content(
      Json{{"type", "model"}, {"organization", repo_.repo_id.substr(0, slash)}, {"name", repo_.repo_id.substr(slash + 1)}}.dump());
  TextBody body(url);
  try {
    send({"POST", url, content, kJson}, body, kConflict);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kAuth) throw;
    return error;
  }
  return std::nullopt;
}

std::vector<Storage> UploadApi::storage_of(const std::vector<PathSample>& files) {
  const std::string url = repo_address() + "/preupload/main";
  std::map<std::string, Storage> known;
  for (size_t begin = 0; begin < files.size(); begin += kFilesInARequest) {
    Json list = Json::array();
    for (size_t i = begin; i < std::min(files.size(), begin + kFilesInARequest); ++i) {
      list.push_back({{"path", files[i].path}, {"size", files[i].size_bytes}, {"sample", encode_base64(files[i].beginning)}});
    }
    taken(post(url, {{"files", list}}), url, [&](const Json& answer) {
      for (const Json& file : answer.at("files")) {
        known[file.at("path")] = file.at("uploadMode") == "lfs" ? Storage::kLarge : Storage::kSmall;
      }
    });
  }
  std::vector<Storage> out;
  for (const PathSample& file : files) {
    const auto at = known.find(file.path);
    if (at == known.end()) throw Error(ErrorCode::kCorrupt, fmt::format("{}: says nothing of {}", url, file.path), "try again later");
    out.push_back(file.size_bytes == 0 ? Storage::kSmall : at->second);  // the storage takes no empty files
  }
  return out;
}

LargeFileTarget UploadApi::target_of(const std::string& sha256, uint64_t size_bytes) {
  const std::string url = fmt::format("{}/{}.git/info/lfs/objects/batch", session_.options().endpoint, repo_.repo_id);
  const TextReader content(Json{{"operation", "upload"},
                                {"transfers", {"basic", "multipart"}},
                                {"hash_algo", "sha256"},
                                {"ref", {{"name", "main"}}},
                                {"objects", {{{"oid", sha256}, {"size", size_bytes}}}}}
                               .dump());
  TextBody body(url);
  send({"POST", url, content, kLargeFileJson}, body);
  return taken(parse_json(body.text, url), url, [&](const Json& answer) {
    const Json& object = answer.at("objects").at(0);
    const auto error = object.find("error");
    if (error == object.end()) return parse_target(object, size_bytes);
    throw Error(ErrorCode::kNetwork, fmt::format("{}: the hub does not take a file: {}", repo_.repo_id, error->value("message", "")),
                "try again later");
  });
}

std::string UploadApi::put(const std::string& url, const Reader& content) {
  TextBody body(url);
  return send({"PUT", url, content}, body).last.header("etag");
}

void UploadApi::complete(const LargeFileTarget& target, const std::string& sha256, const std::vector<std::string>& etags) {
  Json parts = Json::array();
  for (size_t i = 0; i < etags.size(); ++i) parts.push_back({{"partNumber", i + 1}, {"etag", etags[i]}});
  const TextReader content(Json{{"oid", sha256}, {"parts", parts}}.dump());
  TextBody body(target.url);
  send({"POST", target.url, content, kLargeFileJson}, body);
}

void UploadApi::verify(const LargeFileTarget& target, const std::string& sha256, uint64_t size_bytes) {
  if (!target.verify_url.empty()) post(target.verify_url, {{"oid", sha256}, {"size", size_bytes}});
}

std::string UploadApi::commit(const std::string& message, const std::vector<Json>& operations) {
  const std::string url = repo_address() + "/commit/main";
  std::string lines = Json{{"key", "header"}, {"value", {{"summary", message}, {"description", ""}}}}.dump() + "\n";
  for (const Json& operation : operations) lines += operation.dump() + "\n";
  const TextReader content(std::move(lines));
  TextBody body(url);
  send({"POST", url, content, "application/x-ndjson"}, body);
  return taken(parse_json(body.text, url), url, [](const Json& answer) { return answer.at("commitOid").get<std::string>(); });
}

}  // namespace hf2mlx
