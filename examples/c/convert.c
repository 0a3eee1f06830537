/* Converts a model to 4 bits through the C interface:
 *
 *   cc convert.c $(pkg-config --cflags --libs hf2mlx) -o convert
 *   ./convert '{"model": "path/to/model", "output": "out", "quantize": true}'
 */
#include <stdio.h>

#include "hf2mlx/hf2mlx.h"

static void show(void* user, hf2mlx_event event, const char* text, uint64_t done_bytes, uint64_t total_bytes) {
  FILE* out = (FILE*)user;
  if (event == HF2MLX_BEGIN) fprintf(out, "%s\n", text);
  if (event == HF2MLX_ADVANCE && total_bytes > 0) fprintf(out, "\r%u %%", (unsigned)(100 * done_bytes / total_bytes));
  if (event == HF2MLX_END) fprintf(out, "\n");
  if (event == HF2MLX_NOTE) fprintf(out, "note: %s\n", text);
}

int main(int argc, char** argv) {
  hf2mlx_job* job;
  hf2mlx_status status;
  if (argc != 2) {
    fprintf(stderr, "usage: convert OPTIONS\n");
    return HF2MLX_USAGE;
  }
  job = hf2mlx_job_new();
  hf2mlx_job_on_progress(job, show, stderr);
  status = hf2mlx_convert(job, argv[1]);
  if (status == HF2MLX_OK) {
    printf("%s", hf2mlx_job_result(job));
  } else {
    fprintf(stderr, "%s: %s\n%s\n", hf2mlx_job_code(job), hf2mlx_job_message(job), hf2mlx_job_hint(job));
  }
  hf2mlx_job_free(job);
  return (int)status;
}
