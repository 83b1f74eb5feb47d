"""All messages of the protocol under one name: `from . import _messages as proto`."""

from ._proto.activity_service import *  # noqa: F403
from ._proto.batch_service import *  # noqa: F403
from ._proto.common import *  # noqa: F403
from ._proto.frame import *  # noqa: F403
from ._proto.history import *  # noqa: F403
from ._proto.operator_service import *  # noqa: F403
from ._proto.schedule_service import *  # noqa: F403
from ._proto.worker import *  # noqa: F403
from ._proto.workflow_service import *  # noqa: F403
