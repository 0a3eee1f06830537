// libcurl, found at run time: the functions that http_curl.cc calls, handed on to the library of the system that the program runs on. For
// the preset `portable`, whose program must not depend on one build of libcurl and its thirty libraries, and whose certificates are where
// that system has them. Without downloads nothing is loaded.
#ifdef HF2MLX_LOADED_CURL
#include <curl/curl.h>
#include <dlfcn.h>

#include <cstdarg>
#include <initializer_list>

#include "hf2mlx/error.h"

#undef curl_easy_setopt  // a macro that checks types; http_curl.cc was compiled with it

namespace hf2mlx {
namespace {

void* open_libcurl() {
  // The names under which Debian, Fedora, Arch and Alpine have it, and the one of Debian that uses GnuTLS.
  for (const char* name : {"libcurl.so.4", "libcurl-gnutls.so.4", "libcurl.so"}) {
    if (void* library = dlopen(name, RTLD_NOW | RTLD_LOCAL)) return library;
  }
  throw Error(ErrorCode::kUnsupported, "libcurl: not found on this system, and downloads need it",
              "install it (Debian: apt install libcurl4), or download with another program and convert the folder");
}

// Thread-safe, and tried again after a failure.
template <typename Function>
Function* function_of(const char* name) {
  static void* const library = open_libcurl();
  void* const symbol = dlsym(library, name);
  if (symbol == nullptr) throw Error(ErrorCode::kUnsupported, std::string("libcurl: has no ") + name, "install a newer libcurl");
  return reinterpret_cast<Function*>(symbol);
}

}  // namespace
}  // namespace hf2mlx

// Each name is looked up once.
#define HF2MLX_LOADED(name) static auto* const loaded = hf2mlx::function_of<decltype(name)>(#name)

extern "C" {

CURLcode curl_global_init(long flags) {
  HF2MLX_LOADED(curl_global_init);
  return loaded(flags);
}

CURL* curl_easy_init() {
  HF2MLX_LOADED(curl_easy_init);
  return loaded();
}

void curl_easy_cleanup(CURL* easy) {
  HF2MLX_LOADED(curl_easy_cleanup);
  loaded(easy);
}

void curl_easy_reset(CURL* easy) {
  HF2MLX_LOADED(curl_easy_reset);
  loaded(easy);
}

// Every option has one value: a long, a pointer or a curl_off_t. All are handed over in the same way where they have the same size.
CURLcode curl_easy_setopt(CURL* easy, CURLoption option, ...) {
  static_assert(sizeof(long) == sizeof(void*) && sizeof(curl_off_t) == sizeof(void*));
  HF2MLX_LOADED(curl_easy_setopt);
  va_list values;
  va_start(values, option);
  void* const value = va_arg(values, void*);
  va_end(values);
  return loaded(easy, option, value);
}

CURLcode curl_easy_perform(CURL* easy) {
  HF2MLX_LOADED(curl_easy_perform);
  return loaded(easy);
}

const char* curl_easy_strerror(CURLcode code) {
  HF2MLX_LOADED(curl_easy_strerror);
  return loaded(code);
}

curl_slist* curl_slist_append(curl_slist* list, const char* text) {
  HF2MLX_LOADED(curl_slist_append);
  return loaded(list, text);
}

void curl_slist_free_all(curl_slist* list) {
  HF2MLX_LOADED(curl_slist_free_all);
  loaded(list);
}
}  // extern "C"
#endif  // HF2MLX_LOADED_CURL
