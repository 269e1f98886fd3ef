package pipeline

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/seed-4c77ef92/textwarp/internal/safeio"
)

// A task as an engine hands it around: units and their segments, with all that
// is known of the sources.
type (
	taskJSON struct {
		Units []unitJSON `json:"units"`
	}
	unitJSON struct {
		Unit     int           `json:"unit"`
		Segments []segmentJSON `json:"segments"`
	}
	segmentJSON struct {
		Source sourceJSON `json:"source"`
		From   int64      `json:"from"`
		To     int64      `json:"to"`
	}
	sourceJSON struct {
		Place  fileName `json:"place"` // its directory, or s3:// and bucket
		Name   fileName `json:"name"`
		Kind   kind     `json:"kind"`
		Packed string   `json:"packed,omitempty"`
		Serial bool     `json:"serial,omitempty"`
		Stored int64    `json:"stored"`
		Size   int64    `json:"size"`
		Stamp  uint64   `json:"stamp,string"`
	}
)

// fileName is a name of a file, which need not be UTF-8 and JSON must be:
// quoted as in Go, without the quotes.
type fileName string

func (n fileName) MarshalText() ([]byte, error) {
	q := strconv.Quote(string(n))
	return []byte(q[1 : len(q)-1]), nil
}

func (n *fileName) UnmarshalText(text []byte) error {
	s, err := strconv.Unquote(`"` + string(text) + `"`)
	if err != nil {
		return fmt.Errorf("file name %q: %w", text, err)
	}
	*n = fileName(s)
	return nil
}

// describe is the task of making some units. Workers have working directories
// of their own, so paths become absolute.
func describe(units []unit) (t taskJSON, err error) {
	for _, u := range units {
		unit := unitJSON{Unit: u.index}
		for _, seg := range u.segments {
			s := seg.source
			at, err := address(s.place)
			if err != nil {
				return t, fmt.Errorf("read source %q: %w", s.path(), err)
			}
			unit.Segments = append(unit.Segments, segmentJSON{
				Source: sourceJSON{fileName(at), fileName(s.name), s.kind, s.packed, s.serial, s.stored, s.size, s.stamp},
				From:   seg.from, To: seg.to,
			})
		}
		t.Units = append(t.Units, unit)
	}
	return t, nil
}

// address is a place as a task names it.
func address(p place) (string, error) {
	switch p := p.(type) {
	case *folder:
		dir, err := filepath.Abs(p.dir)
		if err != nil {
			return "", fmt.Errorf("find %q: %w", p.dir, bare(err))
		}
		return dir, nil
	case *s3Bucket:
		return p.path(""), nil
	}
	return "", errors.New("workers of an engine read files and objects only")
}

// placeAt is the place of an address.
func placeAt(ctx context.Context, address string) (place, error) {
	if strings.HasPrefix(address, bucketScheme) {
		return openBucket(ctx, address)
	}
	return &folder{address}, nil
}

func parseTask(ctx context.Context, data []byte) ([]unit, error) {
	var t taskJSON
	if err := json.Unmarshal(data, &t); err != nil {
		return nil, fmt.Errorf("%w: the task is not one that prep wrote: %w", safeio.ErrCorrupt, err)
	}
	var (
		units []unit
		stood sourceJSON
		at    place
		err   error
		last  *source // that stood describes: units of one source are read on
	)
	for _, u := range t.Units {
		unit := unit{index: u.Unit}
		for _, seg := range u.Segments {
			if seg.From < 0 || seg.From > seg.To || seg.To > seg.Source.Size {
				return nil, fmt.Errorf("%w: the task wants bytes %d to %d of the %d of %q", safeio.ErrCorrupt, seg.From, seg.To, seg.Source.Size, seg.Source.Name)
			}
			if last == nil || seg.Source != stood {
				if last == nil || seg.Source.Place != stood.Place {
					if at, err = placeAt(ctx, string(seg.Source.Place)); err != nil {
						return nil, err
					}
				}
				stood = seg.Source
				last = &source{
					place: at, name: string(stood.Name), kind: stood.Kind, packed: stood.Packed,
					serial: stood.Serial, stored: stood.Stored, size: stood.Size, stamp: stood.Stamp,
				}
			}
			unit.segments = append(unit.segments, segment{last, seg.From, seg.To})
		}
		units = append(units, unit)
		if u.Unit < 0 || len(unit.segments) == 0 {
			return nil, fmt.Errorf("%w: the task has unit %d with %d segments", safeio.ErrCorrupt, u.Unit, len(unit.segments))
		}
	}
	if len(units) == 0 {
		return nil, fmt.Errorf("%w: the task has no units", safeio.ErrCorrupt)
	}
	return units, nil
}
