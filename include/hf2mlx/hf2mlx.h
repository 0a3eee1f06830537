/* The library for C, and for every language that can call C: Swift, Rust, Go, Python's ctypes. C99.
 *
 *   hf2mlx_job* job = hf2mlx_job_new();
 *   hf2mlx_status status = hf2mlx_convert(job, "{\"model\": \"path/to/model\", \"output\": \"out\", \"quantize\": true}");
 *   if (status == HF2MLX_OK) puts(hf2mlx_job_result(job));
 *   else fprintf(stderr, "%s\n%s\n", hf2mlx_job_message(job), hf2mlx_job_hint(job));
 *   hf2mlx_job_free(job);
 *
 * Options go in as a JSON object, results come out as one. All text is UTF-8. docs/api-c.md lists the keys.
 *
 * A job is one caller's place: its cancel button, its progress function, and what its last call gave. It may be used again and again, by
 * any thread, for one call at a time. Different jobs are independent of each other. Only hf2mlx_job_cancel may be called while a call runs.
 * Nothing here prints, ends the process, reads the environment, installs a signal handler, or lets a C++ exception out.
 *
 * Every `const char*` that a function returns belongs to the library: it must not be freed, and stays valid until the job's next call, or
 * until the job is freed. What is handed in stays the caller's, and is not kept.
 *
 * This interface is stable: functions, statuses and events are added, never changed, while HF2MLX_ABI_VERSION is the same. */
#ifndef HF2MLX_HF2MLX_H_
#define HF2MLX_HF2MLX_H_

#include <stdint.h>

#include "hf2mlx/export.h"

#ifdef __cplusplus
extern "C" {
#endif

#define HF2MLX_ABI_VERSION 1

/* The HF2MLX_ABI_VERSION of the library that runs, which may be another than that of this header. From any thread, as the next. */
HF2MLX_API uint32_t hf2mlx_abi_version(void);

/* Of the library, as "1.2.3". Valid forever. */
HF2MLX_API const char* hf2mlx_version(void);

/* How a call ended. The numbers are the exit statuses of the program. */
typedef int32_t hf2mlx_status;
enum {
  HF2MLX_OK = 0,
  HF2MLX_BUSY = 1,        /* another call with this job has not returned; that one goes on, and nothing has changed */
  HF2MLX_USAGE = 2,       /* no JSON object, unknown or contradictory options, a null pointer */
  HF2MLX_NOT_FOUND = 3,   /* no such folder, repository, revision or file */
  HF2MLX_UNSUPPORTED = 4, /* architecture, dtype or source quantization that is not known */
  HF2MLX_CORRUPT = 5,     /* header, index, hash or size disagree */
  HF2MLX_IO = 6,          /* a system call failed, or there is no memory */
  HF2MLX_NO_SPACE = 7,    /* the disk is full, or would be */
  HF2MLX_NETWORK = 8,     /* the hub cannot be reached */
  HF2MLX_AUTH = 9,        /* the hub refuses */
  HF2MLX_INTERNAL = 70,   /* a defect of the library */
  HF2MLX_CANCELLED = 130  /* by hf2mlx_job_cancel */
};

typedef struct hf2mlx_job hf2mlx_job;

/* NULL where there is no memory. From any thread. */
HF2MLX_API hf2mlx_job* hf2mlx_job_new(void);

/* Not while a call with this job runs; from any thread. NULL is fine. */
HF2MLX_API void hf2mlx_job_free(hf2mlx_job* job);

/* What a progress function is told. There may be several stages, such as downloading and converting: each begins, advances and ends. */
typedef int32_t hf2mlx_event;
enum {
  HF2MLX_BEGIN = 0,   /* `text`: what begins; `total_bytes`: how much there is to do, 0 where that is not known */
  HF2MLX_ADVANCE = 1, /* `done_bytes` of `total_bytes`; comes often */
  HF2MLX_END = 2,
  HF2MLX_NOTE = 3 /* `text`: something the user should know */
};

/* Called by threads of the library, never by two at once for one job. Must be quick, must not throw or jump out, and may call
 * hf2mlx_job_cancel but no other function with this job. `text` is "" where an event has none, and valid only during the call. */
typedef void (*hf2mlx_progress)(void* user, hf2mlx_event event, const char* text, uint64_t done_bytes, uint64_t total_bytes);

/* For the calls that follow; NULL: none. `user` is handed to each call of `progress`, and must be valid as long. Not while a call runs. */
HF2MLX_API void hf2mlx_job_on_progress(hf2mlx_job* job, hf2mlx_progress progress, void* user);

/* The call that runs, and every later one with this job, ends with HF2MLX_CANCELLED as soon as it can: within a block of weights, or a part
 * of a download. From any thread, and from a signal handler. */
HF2MLX_API void hf2mlx_job_cancel(hf2mlx_job* job);

/* What the program's command of the same name does and prints with --json. `options` is a JSON object whose keys are the command's long
 * options without dashes; NULL stands for {}. They return when all is done; run them on a thread of your own where that matters.
 * Another status than HF2MLX_OK leaves no result, but a code, a message and a hint. Any call may end with HF2MLX_BUSY, HF2MLX_USAGE,
 * HF2MLX_IO, HF2MLX_INTERNAL and HF2MLX_CANCELLED; what else it may end with stands at each. */

/* NOT_FOUND, UNSUPPORTED and CORRUPT for the model, NO_SPACE, NETWORK and AUTH for a model of the hub and for "upload-repo". */
HF2MLX_API hf2mlx_status hf2mlx_convert(hf2mlx_job* job, const char* options);
/* NOT_FOUND, UNSUPPORTED, CORRUPT, NETWORK, AUTH: as above. Writes nothing but the file of "sensitivity". */
HF2MLX_API hf2mlx_status hf2mlx_plan(hf2mlx_job* job, const char* options);
/* NOT_FOUND, CORRUPT, NETWORK, AUTH. A model that cannot be converted is a result, whose "why_not" says why. */
HF2MLX_API hf2mlx_status hf2mlx_inspect(hf2mlx_job* job, const char* options);
/* NOT_FOUND, UNSUPPORTED where no weights are in safetensors, CORRUPT for a checksum, NO_SPACE, NETWORK, AUTH. */
HF2MLX_API hf2mlx_status hf2mlx_download(hf2mlx_job* job, const char* options);
/* NOT_FOUND, CORRUPT for a folder with errors ("force": true uploads it all the same), NETWORK, AUTH. */
HF2MLX_API hf2mlx_status hf2mlx_upload(hf2mlx_job* job, const char* options);
/* NOT_FOUND where there is nothing to verify; with "source" what hf2mlx_convert may end with. What is wrong is in the result. */
HF2MLX_API hf2mlx_status hf2mlx_verify(hf2mlx_job* job, const char* options);
/* NOT_FOUND where there is none, or the original is not complete; CORRUPT for one that cannot be read. */
HF2MLX_API hf2mlx_status hf2mlx_where(hf2mlx_job* job, const char* options);
/* CORRUPT for settings of LM Studio that cannot be read. */
HF2MLX_API hf2mlx_status hf2mlx_list(hf2mlx_job* job, const char* options);
/* Nothing else. */
HF2MLX_API hf2mlx_status hf2mlx_archs(hf2mlx_job* job, const char* options);

/* Of the job's last call; from any thread, but not while a call runs. All are "" where there is nothing to say, and for a NULL job. */
HF2MLX_API const char* hf2mlx_job_result(const hf2mlx_job* job);  /* a JSON object, if the call went well */
HF2MLX_API const char* hf2mlx_job_code(const hf2mlx_job* job);    /* the stable name of the status: "not_found" */
HF2MLX_API const char* hf2mlx_job_message(const hf2mlx_job* job); /* what was found, and what was expected */
HF2MLX_API const char* hf2mlx_job_hint(const hf2mlx_job* job);    /* what to do; may be "" for an error too */

#ifdef __cplusplus
}
#endif

#endif /* HF2MLX_HF2MLX_H_ */
