// A disk of the simulator: files in memory, offered to SQLite as a VFS.
//
// What was written is read back at once, and is durable only after a sync of its file. A crash
// keeps, drops or tears what was not synced, in sectors of 512 bytes, as a seed decides. The names
// of files are durable at once: SQLite syncs the directory where that matters to it.
//
// A disk is used by one thread at a time; several may be in use.
#ifndef HOLDFAST_SIM_DISK_H
#define HOLDFAST_SIM_DISK_H

#include <stdint.h>

struct sim_disk;

// Makes an empty disk, and registers it with SQLite under a name of its own; NULL without memory.
struct sim_disk *sim_disk_new(void);

// The name of the disk's VFS; the disk's own, for as long as it lives.
const char *sim_disk_name(const struct sim_disk *disk);

// Unregisters and frees the disk; no connection may be open on it.
void sim_disk_free(struct sim_disk *disk);

// The disk is full (1) or has space again (0): writes that make a file longer fail meanwhile.
void sim_disk_set_full(struct sim_disk *disk, int is_full);

// A sync says that it is done and does nothing (1): for the proof that this would be seen.
void sim_disk_set_lying(struct sim_disk *disk, int is_lying);

// After so many further writes, truncations and syncs, each operation fails, as in a process whose
// machine has just stopped; negative: never.
void sim_disk_stop_after(struct sim_disk *disk, int64_t operations);

// The next sync but `count` fails once with an I/O error; negative: none.
void sim_disk_fail_sync(struct sim_disk *disk, int64_t count);

// The next write but `count` fails once with an I/O error; negative: none.
void sim_disk_fail_write(struct sim_disk *disk, int64_t count);

// Every operation fails from now on, until sim_disk_restart: the process is gone.
void sim_disk_stop(struct sim_disk *disk);

// True once the disk has stopped.
int sim_disk_is_stopped(const struct sim_disk *disk);

// The machine lost its power: unsynced writes are kept, dropped or torn as the seed decides.
void sim_disk_lose_power(struct sim_disk *disk, uint64_t seed);

// Operations work again; what the last process ordered of failures is forgotten.
void sim_disk_restart(struct sim_disk *disk);

// Makes a file with these bytes, all of them durable; 0 without memory.
int sim_disk_put(struct sim_disk *disk, const char *name, const void *bytes, int64_t length);

// Removes a file; one that is not there is no error. No connection may have it open.
void sim_disk_remove(struct sim_disk *disk, const char *name);

// What a reader sees of a file, until the next operation; NULL when there is none of that name.
const void *sim_disk_bytes(struct sim_disk *disk, const char *name, int64_t *length);

// Writes, truncations and syncs so far.
int64_t sim_disk_operations(const struct sim_disk *disk);

#endif
