"""Writes peer.tfevents, the events of TestBytesAreThePeers, with TensorBoard's own
protobuf messages and record writer:

    pip install tensorboard==2.21.0 && python peer.py > peer.tfevents
"""

import sys

from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.compat.proto.summary_pb2 import HistogramProto, Summary
from tensorboard.plugins.text.summary_v2 import text_pb
from tensorboard.summary.writer.record_writer import RecordWriter

events = [
    Event(file_version="brain.Event:2"),
    Event(step=11, session_log=SessionLog(status=SessionLog.START)),
    Event(step=20, summary=Summary(value=[Summary.Value(tag="train/loss", simple_value=2.5)])),
    Event(step=30, summary=Summary(value=[Summary.Value(tag="train/skipped", simple_value=0)])),
    Event(
        step=1 << 40,
        summary=Summary(
            value=[
                Summary.Value(
                    tag="h",
                    histo=HistogramProto(min=-1, max=3, num=7, sum=9, sum_squares=20.5, bucket_limit=[0, 1, 3], bucket=[2, 0, 5])
                )
            ]
        ),
    ),
    Event(step=50, summary=text_pb("sample", "    “né” 日本\n    \x1b[2J<b>")),
]
out = RecordWriter(sys.stdout.buffer)
for i, event in enumerate(events):
    event.wall_time = 1700000000.25 + i
    out.write(event.SerializeToString())
out.flush()
