#include "test.h"

#include <signal.h>
#include <unistd.h>

/* A test that hangs is a failure. */
#define SECONDS_PER_TEST 60

static const char *running = "";

void test_fail(const char *file, int line, const char *what)
{
    fprintf(stderr, "FAIL %s\n  %s:%d: %s\n", running, file, line, what);
    fflush(stderr);
    _exit(1);
}

static void too_long(int signal_number)
{
    (void)signal_number;
    static const char text[] = "FAIL: a test took too long: ";
    ssize_t ignored = write(2, text, sizeof text - 1);
    ignored = write(2, running, strlen(running));
    ignored = write(2, "\n", 1);
    (void)ignored;
    _exit(1);
}

int main(int count, char **arguments)
{
    const test_case *const lists[] = {unit_tests, connection_tests, client_tests,   stream_tests,
                                      loop_tests, loop_end_tests,   worker_tests,   resume_tests,
                                      pull_tests, adapter_tests,    mutation_tests, abuse_tests};
    const char *filter = count > 1 ? arguments[1] : "";
    bool forks = getenv("HOLDFAST_TEST_NO_FORK") == NULL;
    int passed = 0, skipped = 0;
    signal(SIGALRM, too_long);
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        for (const test_case *test = lists[i]; test->name != NULL; test++) {
            if (strstr(test->name, filter) == NULL)
                continue;
            if (test->forks && !forks) {
                skipped++;
                continue;
            }
            running = test->name;
            alarm(SECONDS_PER_TEST);
            int64_t before = hf_now_ms();
            test->run();
            printf("ok %s (%lld ms)\n", test->name, (long long)(hf_now_ms() - before));
            fflush(stdout);
            passed++;
        }
    }
    printf("%d tests passed, %d skipped\n", passed, skipped);
    return passed > 0 ? 0 : 1;
}
