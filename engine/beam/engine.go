package beam

import (
	"context"
	"flag"
	"fmt"

	sdk "github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/x/beamx"

	"github.com/seed-4c77ef92/textwarp/cmd/prep/command"
	"github.com/seed-4c77ef92/textwarp/pipeline"
	"github.com/seed-4c77ef92/textwarp/tokenize"
)

// Engine is the choice --engine beam, with Beam's own flags, such as --runner.
func Engine() command.Engine {
	return command.Engine{Name: "beam", Flags: flag.CommandLine, Make: Make}
}

// Make is a [pipeline.Engine]. [Init] must have been called.
func Make(ctx context.Context, dir string) error {
	p, s := sdk.NewPipelineWithRoot()
	tasks := sdk.ParDo(s.Scope("list"), &list{Dir: dir}, sdk.Impulse(s))
	tasks = sdk.Reshuffle(s.Scope("spread"), tasks)
	sdk.ParDo0(s.Scope("make"), &shards{Dir: dir}, tasks)
	if err := beamx.Run(ctx, p); err != nil {
		return fmt.Errorf("run on Beam: %w", err)
	}
	return nil
}

func init() {
	register.DoFn3x1[context.Context, []byte, func([]byte), error](&list{})
	register.DoFn2x1[context.Context, []byte, error](&shards{})
	register.Emitter1[[]byte]()
}

// list emits the tasks, so that the graph which is sent to the runner has the
// same small size for every corpus.
type list struct {
	Dir string
}

func (l *list) ProcessElement(_ context.Context, _ []byte, emit func([]byte)) error {
	for task, err := range pipeline.Tasks(l.Dir) {
		if err != nil {
			return err
		}
		emit(task)
	}
	return nil
}

// shards does tasks. Its counters are shown by the runner.
type shards struct {
	Dir string

	worker                              *pipeline.Worker
	tasks, documents, tokens, textBytes sdk.Counter
}

func (m *shards) Setup() (err error) {
	m.tasks = sdk.NewCounter("textwarp", "tasks")
	m.documents = sdk.NewCounter("textwarp", "documents")
	m.tokens = sdk.NewCounter("textwarp", "tokens")
	m.textBytes = sdk.NewCounter("textwarp", "text_bytes")
	m.worker, err = pipeline.OpenWorker(m.Dir, func(file []byte) (pipeline.Encoder, error) {
		return tokenize.Parse(file)
	})
	return err
}

func (m *shards) ProcessElement(ctx context.Context, task []byte) error {
	t, err := m.worker.Do(ctx, task)
	if err != nil {
		return err
	}
	m.tasks.Inc(ctx, 1)
	m.documents.Inc(ctx, t.Documents)
	m.tokens.Inc(ctx, t.Tokens)
	m.textBytes.Inc(ctx, t.TextBytes)
	return nil
}
