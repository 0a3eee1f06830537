// See hub_api.h.
#include "hub/hub_api.h"

#include <fmt/format.h>

#include "hub/hub_file.h"
#include "hub/text_body.h"
#include "hub/url.h"

namespace hf2mlx {
namespace {

std::string api_address(const HubOptions& options, const Wanted& wanted) {
  return fmt::format("{}/api/models/{}", options.endpoint, wanted.repo_id);
}

}  // namespace

HubApi::Page HubApi::get(const std::string& url, const Wanted& wanted) {
  Retry retry(sleep_);
  for (;;) {
    TextBody body(url);
    const HubAnswer answer = session_.get({url}, body);
    const bool is_cut = answer.last.failure != Failure::kNone;
    if (answer.last.is_success() && !is_cut) {
      const std::string next = next_page(answer.last.header("link"));
      return {std::move(body.text), next.empty() ? next : resolve_url(answer.url, next)};
    }
    const bool is_hopeless = is_cut && !session_.has_answered();
    if (is_hopeless || !retry.again(answer)) throw hub_error(session_.options(), wanted, answer);
  }
}

std::string HubApi::commit_of(const Wanted& wanted) {
  const std::string url = fmt::format("{}/revision/{}", api_address(session_.options(), wanted), percent_encode(wanted.revision));
  const Json info = parse_json(get(url, wanted).text, url);
  const auto sha = info.is_object() ? info.find("sha") : info.end();
  if (sha != info.end() && sha->is_string() && is_commit(sha->get<std::string>())) return *sha;
  throw Error(ErrorCode::kCorrupt, fmt::format("{}: found no commit", url), "check HF_ENDPOINT: is it a Hugging Face hub?");
}

Tree HubApi::tree_of(const Wanted& wanted, const std::string& commit) {
  Tree tree;
  std::string url = fmt::format("{}/tree/{}?recursive=true&expand=false", api_address(session_.options(), wanted), commit);
  while (!url.empty()) {
    const Page page = get(url, wanted);
    Tree part = parse_tree_page(page.text, url);
    std::move(part.begin(), part.end(), std::back_inserter(tree));
    url = page.next;
  }
  sort_tree(tree);
  return tree;
}

std::string HubApi::text_of(const Wanted& wanted, const std::string& commit) {
  return get(resolve_address(session_.options(), wanted.repo_id, commit, wanted.path), wanted).text;
}

}  // namespace hf2mlx
