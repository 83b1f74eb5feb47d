// The files of a simulated disk, without SQLite.
#ifndef HOLDFAST_SIM_FILES_H
#define HOLDFAST_SIM_FILES_H

#include <stdint.h>

enum { SIM_SECTOR = 512 };

// A write or a truncation that no sync has made durable. `bytes` NULL: a truncation to `offset`.
struct sim_change {
    int64_t offset;
    int64_t length;
    unsigned char *bytes;
};

struct sim_image {
    unsigned char *bytes;
    int64_t length;
    int64_t capacity;
};

struct sim_file {
    char *name;
    // What readers see, and what a power failure surely leaves.
    struct sim_image current;
    struct sim_image durable;
    struct sim_change *changes;
    int64_t change_count;
    int64_t change_capacity;
    struct sim_file *next;
};

struct sim_disk {
    struct sim_file *files;
    void *vfs;
    int is_full;
    int is_lying;
    int is_stopped;
    int64_t operations;
    int64_t stop_after;
    int64_t fail_sync;
    int64_t fail_write;
};

enum sim_outcome { SIM_OK, SIM_ERROR, SIM_FULL, SIM_NO_MEMORY };

struct sim_file *sim_file_find(struct sim_disk *disk, const char *name);
struct sim_file *sim_file_make(struct sim_disk *disk, const char *name);
void sim_file_remove(struct sim_disk *disk, const char *name);

enum sim_outcome sim_file_write(struct sim_disk *disk, struct sim_file *file, const void *bytes,
                                int64_t length, int64_t offset);
enum sim_outcome sim_file_truncate(struct sim_disk *disk, struct sim_file *file, int64_t length);
enum sim_outcome sim_file_sync(struct sim_disk *disk, struct sim_file *file);

void sim_files_free(struct sim_disk *disk);

#endif
