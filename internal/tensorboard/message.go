package tensorboard

import (
	"math"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
)

// message is a protobuf message in the making. Fields are added in the order of
// their numbers, as protobuf's own encoders write them.
type message []byte

func (m message) varint(field protowire.Number, v uint64) message {
	return protowire.AppendVarint(protowire.AppendTag(m, field, protowire.VarintType), v)
}

func (m message) float(field protowire.Number, v float64) message {
	return protowire.AppendFixed32(protowire.AppendTag(m, field, protowire.Fixed32Type), math.Float32bits(float32(v)))
}

func (m message) double(field protowire.Number, v float64) message {
	return protowire.AppendFixed64(protowire.AppendTag(m, field, protowire.Fixed64Type), math.Float64bits(v))
}

func (m message) doubles(field protowire.Number, values []float64) message {
	var packed []byte
	for _, v := range values {
		packed = protowire.AppendFixed64(packed, math.Float64bits(v))
	}
	return m.bytes(field, packed)
}

func (m message) bytes(field protowire.Number, v []byte) message {
	return protowire.AppendBytes(protowire.AppendTag(m, field, protowire.BytesType), v)
}

func (m message) string(field protowire.Number, v string) message { return m.bytes(field, []byte(v)) }

// event is an Event of one payload, the field that is given.
func event(at time.Time, step int, field protowire.Number, payload []byte) message {
	m := message{}.double(1, float64(at.Unix())+float64(at.Nanosecond())/1e9) // wall_time
	if step != 0 {
		m = m.varint(2, uint64(step))
	}
	return m.bytes(field, payload)
}

// Payloads of an Event.
const (
	fileVersion = 3
	summary     = 5
	sessionLog  = 7
)

// sessionStart is a SessionLog with the status START.
func sessionStart() message { return message{}.varint(1, 1) }

// summaryOf is a Summary with one Value.
func summaryOf(tag string, value, metadata message) message {
	m := append(message{}.string(1, tag), value...)
	if metadata != nil {
		m = m.bytes(9, metadata)
	}
	return message{}.bytes(1, m)
}

// scalar is the value simple_value.
func scalar(v float64) message { return message{}.float(2, v) }

// histogram is the value histo, a HistogramProto.
func (h Histogram) value() message {
	last := len(h.Counts)
	var n, sum, squares float64
	for i, c := range h.Counts {
		middle := (h.Edges[i] + h.Edges[i+1]) / 2
		n += c
		sum += c * middle
		squares += c * middle * middle
	}
	return message{}.bytes(5, message{}.
		double(1, h.Edges[0]).double(2, h.Edges[last]).
		double(3, n).double(4, sum).double(5, squares).
		doubles(6, h.Edges[1:]). // the upper edge of each bucket
		doubles(7, h.Counts))
}

// text is the value tensor: a TensorProto of one string (DT_STRING is 7), without a
// dimension.
func text(s string) message {
	return message{}.bytes(8, message{}.varint(1, 7).bytes(2, nil).string(8, s))
}

// textPlugin is the SummaryMetadata of what TensorBoard shows under Text.
func textPlugin() message { return message{}.bytes(1, message{}.string(1, "text")) }
