/* The C interface from C99: capi_check MODEL SCRATCH. Prints what is wrong and fails, or prints nothing. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hf2mlx/hf2mlx.h"

#define CHECK(condition)                                                        \
  do {                                                                          \
    if (!(condition)) {                                                         \
      fprintf(stderr, "%s:%d: %s is not so\n", __FILE__, __LINE__, #condition); \
      exit(1);                                                                  \
    }                                                                           \
  } while (0)

typedef struct {
  hf2mlx_job* job;
  int cancels;
  unsigned begins, advances, ends;
  uint64_t last_done_bytes, total_bytes;
} Watcher;

static void watch(void* user, hf2mlx_event event, const char* text, uint64_t done_bytes, uint64_t total_bytes) {
  Watcher* watcher = (Watcher*)user;
  CHECK(text != NULL);
  if (event == HF2MLX_BEGIN) {
    CHECK(text[0] != '\0');
    ++watcher->begins;
  }
  if (event == HF2MLX_ADVANCE) {
    CHECK(done_bytes <= total_bytes);
    ++watcher->advances;
    watcher->last_done_bytes = done_bytes;
    watcher->total_bytes = total_bytes;
    if (watcher->cancels) hf2mlx_job_cancel(watcher->job);
  }
  if (event == HF2MLX_END) ++watcher->ends;
}

static char options_text[8192];

static const char* convert_options(const char* model, const char* scratch, const char* name) {
  const int length = snprintf(options_text, sizeof options_text, "{\"model\": \"%s\", \"output\": \"%s/%s\", \"quantize\": true, \"q-bits\": 8}",
                              model, scratch, name);
  CHECK(length > 0 && (size_t)length < sizeof options_text);
  return options_text;
}

static int exists(const char* scratch, const char* name) {
  char path[4096];
  FILE* file;
  snprintf(path, sizeof path, "%s/%s/config.json", scratch, name);
  file = fopen(path, "rb");
  if (file != NULL) fclose(file);
  return file != NULL;
}

static void check_versions(void) {
  CHECK(hf2mlx_abi_version() == HF2MLX_ABI_VERSION);
  CHECK(strchr(hf2mlx_version(), '.') != NULL);
}

static void check_conversion(const char* model, const char* scratch) {
  Watcher watcher = {0};
  hf2mlx_job* job = hf2mlx_job_new();
  CHECK(job != NULL);
  watcher.job = job;
  hf2mlx_job_on_progress(job, watch, &watcher);
  CHECK(hf2mlx_convert(job, convert_options(model, scratch, "whole")) == HF2MLX_OK);
  CHECK(exists(scratch, "whole"));
  CHECK(watcher.begins >= 1 && watcher.begins == watcher.ends);
  CHECK(watcher.advances >= 1 && watcher.last_done_bytes == watcher.total_bytes);
  CHECK(hf2mlx_job_result(job)[0] == '{');
  CHECK(strstr(hf2mlx_job_result(job), "\"quantized_layers\"") != NULL);
  CHECK(strcmp(hf2mlx_job_code(job), "") == 0 && strcmp(hf2mlx_job_message(job), "") == 0);
  /* Once more: it is there already. The job takes the next call as it comes. */
  CHECK(hf2mlx_convert(job, convert_options(model, scratch, "whole")) == HF2MLX_USAGE);
  CHECK(strcmp(hf2mlx_job_result(job), "") == 0);
  CHECK(strcmp(hf2mlx_job_code(job), "usage") == 0);
  CHECK(strstr(hf2mlx_job_message(job), "whole") != NULL);
  CHECK(strstr(hf2mlx_job_hint(job), "force") != NULL);
  hf2mlx_job_free(job);
}

static void check_cancelling(const char* model, const char* scratch) {
  Watcher watcher = {0};
  hf2mlx_job* job = hf2mlx_job_new();
  watcher.job = job;
  watcher.cancels = 1;
  hf2mlx_job_on_progress(job, watch, &watcher);
  CHECK(hf2mlx_convert(job, convert_options(model, scratch, "cancelled")) == HF2MLX_CANCELLED);
  CHECK(strcmp(hf2mlx_job_code(job), "cancelled") == 0);
  CHECK(!exists(scratch, "cancelled"));
  CHECK(hf2mlx_archs(job, NULL) == HF2MLX_CANCELLED); /* and stays so */
  hf2mlx_job_free(job);
}

static void check_failures(void) {
  hf2mlx_job* job = hf2mlx_job_new();
  CHECK(hf2mlx_inspect(job, "{\"model\": \"/nonexistent/model\"}") == HF2MLX_NOT_FOUND);
  CHECK(strcmp(hf2mlx_job_code(job), "not_found") == 0);
  CHECK(hf2mlx_inspect(job, "{\"model\":") == HF2MLX_USAGE);
  CHECK(hf2mlx_inspect(job, "[]") == HF2MLX_USAGE);
  CHECK(hf2mlx_inspect(job, NULL) == HF2MLX_USAGE);
  CHECK(hf2mlx_convert(job, "{\"q-bit\": 4}") == HF2MLX_USAGE);
  CHECK(strcmp(hf2mlx_job_message(job), "unknown option \"q-bit\"") == 0);
  CHECK(strcmp(hf2mlx_job_hint(job), "did you mean q-bits?") == 0);
  CHECK(hf2mlx_archs(job, NULL) == HF2MLX_OK);
  CHECK(strstr(hf2mlx_job_result(job), "\"qwen3\"") != NULL);
  CHECK(strcmp(hf2mlx_job_hint(job), "") == 0);
  hf2mlx_job_free(job);
}

static void check_nothing(void) {
  hf2mlx_job_free(NULL);
  hf2mlx_job_cancel(NULL);
  hf2mlx_job_on_progress(NULL, watch, NULL);
  CHECK(hf2mlx_convert(NULL, "{}") == HF2MLX_USAGE);
  CHECK(strcmp(hf2mlx_job_result(NULL), "") == 0 && strcmp(hf2mlx_job_message(NULL), "") == 0);
}

int main(int argc, char** argv) {
  CHECK(argc == 3);
  check_versions();
  check_conversion(argv[1], argv[2]);
  check_cancelling(argv[1], argv[2]);
  check_failures();
  check_nothing();
  return 0;
}
