// What SQLite calls. Shared memory lives on the heap: there is one connection at a time.
#include "files.h"
#include "sim_disk.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SHM_REGIONS_MAX = 64 };

struct handle {
    sqlite3_file base;
    struct sim_disk *disk;
    struct sim_file *file;
    void *regions[SHM_REGIONS_MAX];
};

static int result(enum sim_outcome outcome, int error)
{
    switch (outcome) {
    case SIM_OK:
        return SQLITE_OK;
    case SIM_ERROR:
        return error;
    case SIM_FULL:
        return SQLITE_FULL;
    case SIM_NO_MEMORY:
        return SQLITE_IOERR_NOMEM;
    }
    return SQLITE_IOERR;
}

// MARK: one file

static int unmap(sqlite3_file *base, int is_deleted)
{
    struct handle *handle = (struct handle *)base;
    (void)is_deleted;
    for (int index = 0; index < SHM_REGIONS_MAX; index++) {
        free(handle->regions[index]);
        handle->regions[index] = NULL;
    }
    return SQLITE_OK;
}

static int close_file(sqlite3_file *base)
{
    return unmap(base, 1);
}

static int read_file(sqlite3_file *base, void *bytes, int count, sqlite3_int64 offset)
{
    struct handle *handle = (struct handle *)base;
    if (handle->disk->is_stopped)
        return SQLITE_IOERR_READ;
    const struct sim_image *image = &handle->file->current;
    int64_t there = image->length > offset ? image->length - offset : 0;
    if (there > count)
        there = count;
    if (there > 0)
        memcpy(bytes, image->bytes + offset, (size_t)there);
    if (there == count)
        return SQLITE_OK;
    memset((char *)bytes + there, 0, (size_t)(count - there));
    return SQLITE_IOERR_SHORT_READ;
}

static int write_file(sqlite3_file *base, const void *bytes, int count, sqlite3_int64 offset)
{
    struct handle *handle = (struct handle *)base;
    return result(sim_file_write(handle->disk, handle->file, bytes, count, offset),
                  SQLITE_IOERR_WRITE);
}

static int truncate_file(sqlite3_file *base, sqlite3_int64 length)
{
    struct handle *handle = (struct handle *)base;
    return result(sim_file_truncate(handle->disk, handle->file, length), SQLITE_IOERR_TRUNCATE);
}

static int sync_file(sqlite3_file *base, int flags)
{
    struct handle *handle = (struct handle *)base;
    (void)flags;
    return result(sim_file_sync(handle->disk, handle->file), SQLITE_IOERR_FSYNC);
}

static int file_size(sqlite3_file *base, sqlite3_int64 *length)
{
    struct handle *handle = (struct handle *)base;
    if (handle->disk->is_stopped)
        return SQLITE_IOERR_FSTAT;
    *length = handle->file->current.length;
    return SQLITE_OK;
}

static int lock_file(sqlite3_file *base, int level)
{
    (void)base;
    (void)level;
    return SQLITE_OK;
}

static int check_reserved(sqlite3_file *base, int *is_locked)
{
    (void)base;
    *is_locked = 0;
    return SQLITE_OK;
}

static int control(sqlite3_file *base, int operation, void *argument)
{
    (void)base;
    (void)operation;
    (void)argument;
    return SQLITE_NOTFOUND;
}

static int sector_size(sqlite3_file *base)
{
    (void)base;
    return SIM_SECTOR;
}

static int characteristics(sqlite3_file *base)
{
    (void)base;
    return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

static int map_region(sqlite3_file *base, int index, int size, int is_wanted, void volatile **place)
{
    struct handle *handle = (struct handle *)base;
    *place = NULL;
    if (handle->disk->is_stopped)
        return SQLITE_IOERR_SHMMAP;
    if (index >= SHM_REGIONS_MAX)
        return SQLITE_IOERR_NOMEM;
    if (handle->regions[index] == NULL && is_wanted) {
        handle->regions[index] = calloc(1, (size_t)size);
        if (handle->regions[index] == NULL)
            return SQLITE_IOERR_NOMEM;
    }
    *place = handle->regions[index];
    return SQLITE_OK;
}

static int lock_region(sqlite3_file *base, int offset, int count, int flags)
{
    (void)base;
    (void)offset;
    (void)count;
    (void)flags;
    return SQLITE_OK;
}

static void barrier(sqlite3_file *base)
{
    (void)base;
}

static const sqlite3_io_methods methods = {
    .iVersion = 2,
    .xClose = close_file,
    .xRead = read_file,
    .xWrite = write_file,
    .xTruncate = truncate_file,
    .xSync = sync_file,
    .xFileSize = file_size,
    .xLock = lock_file,
    .xUnlock = lock_file,
    .xCheckReservedLock = check_reserved,
    .xFileControl = control,
    .xSectorSize = sector_size,
    .xDeviceCharacteristics = characteristics,
    .xShmMap = map_region,
    .xShmLock = lock_region,
    .xShmBarrier = barrier,
    .xShmUnmap = unmap,
};

// MARK: the file system

static int open_file(sqlite3_vfs *vfs, const char *name, sqlite3_file *base, int flags, int *got)
{
    struct handle *handle = (struct handle *)base;
    memset(handle, 0, sizeof *handle);
    handle->disk = vfs->pAppData;
    // Temporary files have no name; the engine keeps them in memory.
    if (handle->disk->is_stopped || name == NULL)
        return SQLITE_CANTOPEN;
    handle->file = sim_file_find(handle->disk, name);
    if (handle->file == NULL && (flags & SQLITE_OPEN_CREATE) != 0)
        handle->file = sim_file_make(handle->disk, name);
    if (handle->file == NULL)
        return SQLITE_CANTOPEN;
    handle->base.pMethods = &methods;
    if (got != NULL)
        *got = flags;
    return SQLITE_OK;
}

static int delete_file(sqlite3_vfs *vfs, const char *name, int is_synced)
{
    struct sim_disk *disk = vfs->pAppData;
    (void)is_synced;
    if (disk->is_stopped)
        return SQLITE_IOERR_DELETE;
    if (sim_file_find(disk, name) == NULL)
        return SQLITE_IOERR_DELETE_NOENT;
    sim_file_remove(disk, name);
    return SQLITE_OK;
}

static int access_file(sqlite3_vfs *vfs, const char *name, int flags, int *is_there)
{
    struct sim_disk *disk = vfs->pAppData;
    (void)flags;
    if (disk->is_stopped)
        return SQLITE_IOERR_ACCESS;
    *is_there = sim_file_find(disk, name) != NULL;
    return SQLITE_OK;
}

static int full_name(sqlite3_vfs *vfs, const char *name, int size, char *out)
{
    (void)vfs;
    size_t length = strlen(name);
    if ((int)length >= size)
        return SQLITE_CANTOPEN;
    memcpy(out, name, length + 1);
    return SQLITE_OK;
}

// SQLite asks the system's VFS instead; what it draws are the salts of its log, which no trace
// holds.
static int random_bytes(sqlite3_vfs *vfs, int count, char *out)
{
    (void)vfs;
    memset(out, 7, (size_t)count);
    return count;
}

static int rest(sqlite3_vfs *vfs, int us)
{
    (void)vfs;
    return us;
}

static int current_time(sqlite3_vfs *vfs, double *day)
{
    (void)vfs;
    *day = 2460000.5;
    return SQLITE_OK;
}

struct sim_disk *sim_disk_new(void)
{
    enum { NAME_BYTES = 32 };
    struct sim_disk *disk = calloc(1, sizeof *disk);
    sqlite3_vfs *vfs = calloc(1, sizeof *vfs);
    char *name = malloc(NAME_BYTES);
    if (disk == NULL || vfs == NULL || name == NULL) {
        free(disk);
        free(vfs);
        free(name);
        return NULL;
    }
    // No two disks of a process are at one address.
    snprintf(name, NAME_BYTES, "sim-%p", (void *)disk);
    disk->vfs = vfs;
    sim_disk_restart(disk);
    vfs->iVersion = 1;
    vfs->szOsFile = sizeof(struct handle);
    vfs->mxPathname = 512;
    vfs->zName = name;
    vfs->pAppData = disk;
    vfs->xOpen = open_file;
    vfs->xDelete = delete_file;
    vfs->xAccess = access_file;
    vfs->xFullPathname = full_name;
    vfs->xRandomness = random_bytes;
    vfs->xSleep = rest;
    vfs->xCurrentTime = current_time;
    sqlite3_vfs_register(vfs, 0);
    return disk;
}

const char *sim_disk_name(const struct sim_disk *disk)
{
    const sqlite3_vfs *vfs = disk->vfs;
    return vfs->zName;
}

void sim_disk_free(struct sim_disk *disk)
{
    sqlite3_vfs *vfs = disk->vfs;
    sqlite3_vfs_unregister(vfs);
    free((char *)vfs->zName);
    free(vfs);
    sim_files_free(disk);
    free(disk);
}
