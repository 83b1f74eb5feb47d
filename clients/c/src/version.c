#include "base.h"

const char *holdfast_version(void)
{
    return HOLDFAST_VERSION_STRING;
}

uint32_t holdfast_version_number(void)
{
    return HOLDFAST_VERSION_NUMBER;
}

bool holdfast_version_check(uint32_t header_version)
{
    return header_version / 1000000 == HOLDFAST_VERSION_MAJOR &&
           header_version <= HOLDFAST_VERSION_NUMBER;
}

int64_t holdfast_backoff_ms(const holdfast_reconnect_policy *policy, uint32_t attempt,
                            uint64_t random)
{
    int64_t initial = policy != NULL && policy->initial_ms > 0 ? policy->initial_ms : 20;
    int64_t max = policy != NULL && policy->max_ms > 0 ? policy->max_ms : 2000;
    int64_t pause = initial < max ? initial : max;
    for (uint32_t i = 1; i < attempt && pause < max; i++)
        pause = pause > max / 2 ? max : pause * 2;
    int64_t half = pause / 2;
    return half + (int64_t)(random % (uint64_t)(pause - half + 1));
}
