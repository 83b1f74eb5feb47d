"""What of a command is compared with the history."""

from __future__ import annotations

from .. import _messages as proto

_Type = proto.CommandType
# The field of the command: its type, and which of its fields are the head's name and id.
_HEADS: dict[str, tuple[int, str | None, str | None]] = {
    "schedule_activity": (_Type.SCHEDULE_ACTIVITY, "activity_type", "activity_id"),
    "schedule_local_activity": (_Type.SCHEDULE_LOCAL_ACTIVITY, "activity_type", "activity_id"),
    "request_cancel_activity": (_Type.REQUEST_CANCEL_ACTIVITY, None, None),
    "start_timer": (_Type.START_TIMER, None, "timer_id"),
    "cancel_timer": (_Type.CANCEL_TIMER, None, None),
    "complete_workflow": (_Type.COMPLETE_WORKFLOW, None, None),
    "fail_workflow": (_Type.FAIL_WORKFLOW, None, None),
    "cancelled_workflow": (_Type.CANCELLED_WORKFLOW, None, None),
    "continue_as_new": (_Type.CONTINUE_AS_NEW, None, None),
    "record_marker": (_Type.RECORD_MARKER, "marker_name", "marker_id"),
    "upsert_search_attributes": (_Type.UPSERT_SEARCH_ATTRIBUTES, None, None),
    "upsert_memo": (_Type.UPSERT_MEMO, None, None),
    "set_current_details": (_Type.SET_CURRENT_DETAILS, None, None),
    "update_accepted": (_Type.UPDATE_ACCEPTED, None, "update_id"),
    "update_completed": (_Type.UPDATE_COMPLETED, None, "update_id"),
    "start_child": (_Type.START_CHILD, "workflow_type", "workflow_id"),
    "cancel_child": (_Type.CANCEL_CHILD, None, None),
    "signal_external": (_Type.SIGNAL_EXTERNAL, "signal_name", None),
    "cancel_external": (_Type.CANCEL_EXTERNAL, None, None),
}
# Of these an empty id is the seq's number.
_NUMBERED = ("schedule_activity", "schedule_local_activity", "start_timer")
_CLOSING = ("complete_workflow", "fail_workflow", "cancelled_workflow", "continue_as_new")


def head(command: proto.Command) -> proto.CommandHead:
    kind = command.kind
    assert kind is not None
    content = getattr(command, kind)
    number, name, identifier = _HEADS[kind]
    seq = getattr(content, "seq", 0)
    if kind in ("signal_external", "cancel_external"):
        one = content.execution.workflow_id if content.execution else ""
    else:
        one = getattr(content, identifier) if identifier else ""
        if not one and kind in _NUMBERED:
            one = str(seq)
    return proto.CommandHead(
        type=number,
        seq=seq,
        name=getattr(content, name) if name else "",
        id=one,
        location=command.location,
    )


def closes(command: proto.Command) -> bool:
    return command.kind in _CLOSING
