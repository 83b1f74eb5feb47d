#include "files.h"

#include "sim_disk.h"

#include <stdlib.h>
#include <string.h>

// MARK: images

static int reserve(struct sim_image *image, int64_t length)
{
    if (length <= image->capacity)
        return 1;
    int64_t capacity = image->capacity > 0 ? image->capacity : 4096;
    while (capacity < length)
        capacity *= 2;
    unsigned char *bytes = realloc(image->bytes, (size_t)capacity);
    if (bytes == NULL)
        return 0;
    image->bytes = bytes;
    image->capacity = capacity;
    return 1;
}

// What lies between the old end and the new one reads as zeros.
static int resize(struct sim_image *image, int64_t length)
{
    if (!reserve(image, length))
        return 0;
    if (length > image->length)
        memset(image->bytes + image->length, 0, (size_t)(length - image->length));
    image->length = length;
    return 1;
}

static int put(struct sim_image *image, const void *bytes, int64_t length, int64_t offset)
{
    if (offset + length > image->length && !resize(image, offset + length))
        return 0;
    memcpy(image->bytes + offset, bytes, (size_t)length);
    return 1;
}

static int apply(struct sim_image *image, const struct sim_change *change)
{
    if (change->bytes == NULL)
        return resize(image, change->offset);
    return put(image, change->bytes, change->length, change->offset);
}

// MARK: files

struct sim_file *sim_file_find(struct sim_disk *disk, const char *name)
{
    for (struct sim_file *file = disk->files; file != NULL; file = file->next)
        if (strcmp(file->name, name) == 0)
            return file;
    return NULL;
}

struct sim_file *sim_file_make(struct sim_disk *disk, const char *name)
{
    struct sim_file *file = calloc(1, sizeof *file);
    if (file == NULL)
        return NULL;
    file->name = strdup(name);
    if (file->name == NULL) {
        free(file);
        return NULL;
    }
    file->next = disk->files;
    disk->files = file;
    return file;
}

static void forget_changes(struct sim_file *file)
{
    for (int64_t index = 0; index < file->change_count; index++)
        free(file->changes[index].bytes);
    file->change_count = 0;
}

static void release(struct sim_file *file)
{
    forget_changes(file);
    free(file->changes);
    free(file->current.bytes);
    free(file->durable.bytes);
    free(file->name);
    free(file);
}

void sim_file_remove(struct sim_disk *disk, const char *name)
{
    for (struct sim_file **place = &disk->files; *place != NULL; place = &(*place)->next) {
        struct sim_file *file = *place;
        if (strcmp(file->name, name) != 0)
            continue;
        *place = file->next;
        release(file);
        return;
    }
}

void sim_disk_remove(struct sim_disk *disk, const char *name)
{
    sim_file_remove(disk, name);
}

void sim_files_free(struct sim_disk *disk)
{
    while (disk->files != NULL) {
        struct sim_file *file = disk->files;
        disk->files = file->next;
        release(file);
    }
}

int sim_disk_put(struct sim_disk *disk, const char *name, const void *bytes, int64_t length)
{
    struct sim_file *file = sim_file_make(disk, name);
    return file != NULL && put(&file->current, bytes, length, 0) &&
           put(&file->durable, bytes, length, 0);
}

const void *sim_disk_bytes(struct sim_disk *disk, const char *name, int64_t *length)
{
    struct sim_file *file = sim_file_find(disk, name);
    if (file == NULL)
        return NULL;
    *length = file->current.length;
    return file->current.bytes;
}

// MARK: operations

// Counts an operation that changes the disk; SIM_ERROR once the disk has stopped.
static enum sim_outcome begin(struct sim_disk *disk)
{
    if (disk->stop_after >= 0 && disk->stop_after-- == 0)
        disk->is_stopped = 1;
    if (disk->is_stopped)
        return SIM_ERROR;
    disk->operations++;
    return SIM_OK;
}

// True when the countdown has just run out; it fires once.
static int is_due(int64_t *countdown)
{
    return *countdown >= 0 && (*countdown)-- == 0;
}

static enum sim_outcome change(struct sim_file *file, struct sim_change change)
{
    if (file->change_count == file->change_capacity) {
        int64_t capacity = file->change_capacity > 0 ? file->change_capacity * 2 : 16;
        struct sim_change *changes =
            realloc(file->changes, (size_t)capacity * sizeof(struct sim_change));
        if (changes == NULL)
            return SIM_NO_MEMORY;
        file->changes = changes;
        file->change_capacity = capacity;
    }
    file->changes[file->change_count++] = change;
    return apply(&file->current, &change) ? SIM_OK : SIM_NO_MEMORY;
}

enum sim_outcome sim_file_write(struct sim_disk *disk, struct sim_file *file, const void *bytes,
                                int64_t length, int64_t offset)
{
    enum sim_outcome outcome = begin(disk);
    if (outcome != SIM_OK)
        return outcome;
    if (is_due(&disk->fail_write))
        return SIM_ERROR;
    if (disk->is_full && offset + length > file->current.length)
        return SIM_FULL;
    unsigned char *copy = malloc(length > 0 ? (size_t)length : 1);
    if (copy == NULL)
        return SIM_NO_MEMORY;
    memcpy(copy, bytes, (size_t)length);
    return change(file, (struct sim_change){offset, length, copy});
}

enum sim_outcome sim_file_truncate(struct sim_disk *disk, struct sim_file *file, int64_t length)
{
    enum sim_outcome outcome = begin(disk);
    if (outcome != SIM_OK)
        return outcome;
    return change(file, (struct sim_change){length, 0, NULL});
}

enum sim_outcome sim_file_sync(struct sim_disk *disk, struct sim_file *file)
{
    enum sim_outcome outcome = begin(disk);
    if (outcome != SIM_OK)
        return outcome;
    // What a failed sync leaves is as unsynced as before: a power failure may still drop it.
    if (is_due(&disk->fail_sync))
        return SIM_ERROR;
    if (disk->is_lying)
        return SIM_OK;
    for (int64_t index = 0; index < file->change_count; index++)
        if (!apply(&file->durable, &file->changes[index]))
            return SIM_NO_MEMORY;
    forget_changes(file);
    return SIM_OK;
}

// MARK: crashes

static uint64_t draw(uint64_t *state)
{
    uint64_t z = (*state += 0x9E3779B97F4A7C15u);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

// Applies the sectors of a write that the seed keeps; a write at the edge of a sector is cut there.
static void tear(struct sim_image *image, const struct sim_change *change, uint64_t *state)
{
    int64_t done = 0;
    while (done < change->length) {
        int64_t offset = change->offset + done;
        int64_t part = SIM_SECTOR - offset % SIM_SECTOR;
        if (part > change->length - done)
            part = change->length - done;
        if (draw(state) % 2 == 0)
            put(image, change->bytes + done, part, offset);
        done += part;
    }
}

static void lose(struct sim_file *file, uint64_t *state)
{
    // How a whole file fares: most often each change for itself, at times all alike.
    uint64_t fate = draw(state) % 6;
    for (int64_t index = 0; index < file->change_count; index++) {
        struct sim_change *change = &file->changes[index];
        uint64_t own = fate == 0 ? 0 : fate == 1 ? 1 : draw(state) % 3;
        if (own == 0)
            apply(&file->durable, change);
        else if (own == 2 && change->bytes != NULL)
            tear(&file->durable, change, state);
    }
    forget_changes(file);
    file->current.length = 0;
    put(&file->current, file->durable.bytes, file->durable.length, 0);
}

void sim_disk_lose_power(struct sim_disk *disk, uint64_t seed)
{
    uint64_t state = seed;
    for (struct sim_file *file = disk->files; file != NULL; file = file->next)
        lose(file, &state);
}

void sim_disk_restart(struct sim_disk *disk)
{
    disk->is_stopped = 0;
    disk->stop_after = -1;
    disk->fail_sync = -1;
    disk->fail_write = -1;
}

void sim_disk_set_full(struct sim_disk *disk, int is_full)
{
    disk->is_full = is_full;
}

void sim_disk_set_lying(struct sim_disk *disk, int is_lying)
{
    disk->is_lying = is_lying;
}

void sim_disk_stop_after(struct sim_disk *disk, int64_t operations)
{
    disk->stop_after = operations;
}

void sim_disk_fail_sync(struct sim_disk *disk, int64_t count)
{
    disk->fail_sync = count;
}

void sim_disk_fail_write(struct sim_disk *disk, int64_t count)
{
    disk->fail_write = count;
}

void sim_disk_stop(struct sim_disk *disk)
{
    disk->is_stopped = 1;
}

int sim_disk_is_stopped(const struct sim_disk *disk)
{
    return disk->is_stopped;
}

int64_t sim_disk_operations(const struct sim_disk *disk)
{
    return disk->operations;
}
