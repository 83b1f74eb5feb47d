/* What goes to the engine: many messages in one frame, many frames in one write. */
#include "wire.h"
#include "worker.h"

static const uint32_t messages_field = 1; /* WorkRequest.messages */

static size_t body_max(const holdfast_worker *worker)
{
    uint32_t frame =
        worker->link.fd >= 0 ? worker->link.connection->frame_out_max : HF_FRAME_BYTES_MAX;
    return frame > HF_FRAME_OVERHEAD ? frame - HF_FRAME_OVERHEAD : 0;
}

static holdfast_status seal(holdfast_worker *worker)
{
    if (hf_buffer_length(&worker->body) == 0)
        return HOLDFAST_OK;
    holdfast_status status = holdfast_connection_send(worker->link.connection, worker->stream,
                                                      hf_buffer_view(&worker->body), false);
    if (status == HOLDFAST_OK)
        hf_buffer_reset(&worker->body);
    return status;
}

holdfast_status hf_worker_post(holdfast_worker *worker, uint32_t kind, holdfast_bytes message)
{
    if (worker->stream == 0)
        return HOLDFAST_DISCONNECTED;
    size_t inner = hf_bytes_field_size(kind, message.len);
    size_t entry = hf_bytes_field_size(messages_field, inner);
    if (entry > body_max(worker))
        return HOLDFAST_TOO_LARGE;
    if (hf_buffer_length(&worker->body) + entry > body_max(worker)) {
        holdfast_status status = seal(worker);
        if (status != HOLDFAST_OK)
            return status;
    }
    /* Room first: half an entry must never stay behind. */
    if (!hf_buffer_reserve(&worker->body, entry))
        return HOLDFAST_OUT_OF_MEMORY;
    hf_put_varint(&worker->body, (uint64_t)messages_field << 3 | 2);
    hf_put_varint(&worker->body, inner);
    hf_put_bytes(&worker->body, kind, message);
    return HOLDFAST_OK;
}

/* Room for the token, the mark and the fields around a part. */
#define HF_PART_OVERHEAD 4096u

static holdfast_status check_entries(const holdfast_worker *worker, holdfast_bytes message,
                                     uint32_t repeated)
{
    size_t rest = 0;
    hf_reader reader = hf_read(message);
    hf_field field;
    while (hf_read_field(&reader, &field)) {
        bool spread = field.number < 32 && (repeated >> field.number & 1) != 0;
        if (spread && field.whole.len > body_max(worker) - HF_PART_OVERHEAD)
            return HOLDFAST_TOO_LARGE;
        if (!spread)
            rest += field.whole.len;
    }
    return rest <= HF_PART_OVERHEAD ? HOLDFAST_OK : HOLDFAST_TOO_LARGE;
}

static bool begin_part(hf_buffer *part, holdfast_bytes token)
{
    hf_buffer_reset(part);
    return hf_put_bytes(part, HF_FIELD_TOKEN, token);
}

holdfast_status hf_worker_post_parts(holdfast_worker *worker, uint32_t kind, holdfast_bytes message,
                                     uint32_t more, uint32_t repeated)
{
    holdfast_status status = hf_worker_post(worker, kind, message);
    if (status != HOLDFAST_TOO_LARGE)
        return status;
    status = check_entries(worker, message, repeated);
    if (status != HOLDFAST_OK)
        return status;
    holdfast_bytes token = {0};
    hf_find_bytes(message, HF_FIELD_TOKEN, &token);
    hf_buffer part = {0}, last = {0};
    bool room = begin_part(&part, token);
    hf_reader reader = hf_read(message);
    hf_field field;
    while (room && status == HOLDFAST_OK && hf_read_field(&reader, &field)) {
        if (field.number >= 32 || (repeated >> field.number & 1) == 0) {
            if (field.number != HF_FIELD_TOKEN)
                room = hf_buffer_append(&last, field.whole.ptr, field.whole.len);
            continue;
        }
        if (hf_buffer_length(&part) + field.whole.len > body_max(worker) - HF_PART_OVERHEAD) {
            room = hf_put_number(&part, more, 1);
            if (room)
                status = hf_worker_post(worker, kind, hf_buffer_view(&part));
            room = room && begin_part(&part, token);
        }
        room = room && hf_buffer_append(&part, field.whole.ptr, field.whole.len);
    }
    room = room && hf_buffer_append(&part, last.data, hf_buffer_length(&last));
    if (room && status == HOLDFAST_OK)
        status = hf_worker_post(worker, kind, hf_buffer_view(&part));
    hf_buffer_free(&part);
    hf_buffer_free(&last);
    return room ? status : HOLDFAST_OUT_OF_MEMORY;
}

static void post_grants(holdfast_worker *worker)
{
    if (worker->grant_workflow == 0 && worker->grant_activity == 0)
        return;
    Holdfast__V1__Grant grant = HOLDFAST__V1__GRANT__INIT;
    grant.workflow_slots = worker->grant_workflow;
    grant.activity_slots = worker->grant_activity;
    uint8_t bytes[16];
    size_t size = holdfast__v1__grant__pack(&grant, bytes);
    if (hf_worker_post(worker, HF_SEND_GRANT, (holdfast_bytes){bytes, size}) == HOLDFAST_OK)
        worker->grant_workflow = worker->grant_activity = 0;
}

void hf_worker_flush(holdfast_worker *worker)
{
    hf_link *link = &worker->link;
    worker->answers_held = 0;
    /* A thread that is sending takes along what was queued meanwhile. */
    while (link->fd >= 0 && !link->writing && !link->blocked && !link->broken) {
        if (worker->stream != 0) {
            post_grants(worker);
            if (seal(worker) != HOLDFAST_OK)
                break;
        }
        if (!hf_link_has_pending(link))
            break;
        hf_link_write(link, &worker->lock);
    }
}

void hf_worker_flush_later(holdfast_worker *worker)
{
    bool pulls = worker->pump_known && !worker->pumping &&
                 pthread_equal(worker->pump_thread, pthread_self());
    if (pulls && ++worker->answers_held < HF_ANSWERS_HELD_MAX)
        return;
    hf_worker_flush(worker);
}

holdfast_status holdfast_worker_flush(holdfast_worker *worker)
{
    holdfast_status status = hf_worker_check(worker, NULL);
    if (status != HOLDFAST_OK)
        return status;
    pthread_mutex_lock(&worker->lock);
    if (worker->closed)
        status = HOLDFAST_CLOSED;
    else
        hf_worker_flush(worker);
    pthread_mutex_unlock(&worker->lock);
    return status;
}
