/* Runs a target on files: the corpus and the inputs that once found something. */
#include "fuzz.h"

#include <dirent.h>
#include <sys/stat.h>

static void run_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    struct stat info;
    if (file == NULL || fstat(fileno(file), &info) != 0) {
        perror(path);
        exit(2);
    }
    /* Exactly as long as the input: a sanitizer sees what is read behind it. */
    size_t size = (size_t)info.st_size;
    uint8_t *data = malloc(size + (size == 0));
    FUZZ_CHECK(data != NULL && fread(data, 1, size, file) == size);
    fclose(file);
    LLVMFuzzerTestOneInput(data, size);
    free(data);
}

/* Returns how many files there were. */
static int run_folder(const char *folder)
{
    DIR *open = opendir(folder);
    if (open == NULL) {
        perror(folder);
        exit(2);
    }
    int count = 0;
    struct dirent *entry;
    while ((entry = readdir(open)) != NULL) {
        char path[1024];
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        run_file(path);
        count++;
    }
    closedir(open);
    return count;
}

int main(int count, char **folders)
{
    int ran = 0;
    for (int i = 1; i < count; i++)
        ran += run_folder(folders[i]);
    printf("ok %s: %d inputs\n", folders[0], ran);
    return ran > 0 ? 0 : 1;
}
