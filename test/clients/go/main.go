// Runs one client: a cell a line comes in, what came of it goes out, until the input ends.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"strings"
)

type cell struct {
	Operation string `json:"operation"`
	Origin    string `json:"origin"`
	Token     string `json:"token"`
	Model     string `json:"model"`
	Task      struct {
		Prompt, LoopPrompt, SchemaPrompt, ImagePrompt, Image string
		Texts                                                []string
	} `json:"task"`
	calls []call
	usage []int64
}

type call struct {
	Name      string         `json:"name"`
	Arguments map[string]any `json:"arguments"`
}

func (asked *cell) counted(in, out int64) { asked.usage = []int64{in, out} }

// run calls a tool with the text of its arguments.
func (asked *cell) run(name string, arguments string) string {
	var given map[string]any
	if err := json.Unmarshal([]byte(arguments), &given); err != nil {
		return "the arguments are no JSON: " + err.Error()
	}
	asked.calls = append(asked.calls, call{name, given})
	if name == "look_up" {
		return fmt.Sprintf("rain for %v days", given["days"])
	}
	return "noted"
}

// client has a nil function for what it lacks.
type client struct {
	plain  func(context.Context, *cell) (string, error)
	stream func(context.Context, *cell, func(string)) error
	loop   func(context.Context, *cell) (string, error)
	schema func(context.Context, *cell) (string, error)
	image  func(context.Context, *cell) (string, error)
	embed  func(context.Context, *cell) ([][]float64, error)
	models func(context.Context, *cell) ([]string, error)
}

var clients = map[string]client{
	"openai":    openaiClient,
	"anthropic": anthropicClient,
	"genai":     genaiClient,
}

func main() {
	speaker := clients[os.Args[1]]
	fmt.Println("{}")
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		asked := &cell{}
		if err := json.Unmarshal(lines.Bytes(), asked); err != nil {
			panic(err)
		}
		told, _ := json.Marshal(speaker.answer(asked))
		fmt.Println(string(told))
	}
}

var missing = map[string]any{"missing": true}

func (speaker client) answer(asked *cell) map[string]any {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	texts := map[string]func(context.Context, *cell) (string, error){
		"plain": speaker.plain, "loop": speaker.loop, "image": speaker.image, "schema": speaker.schema,
	}
	switch asked.Operation {
	case "stream", "abort":
		if speaker.stream == nil {
			return missing
		}
		return speaker.streamed(ctx, cancel, asked)
	case "embed":
		if speaker.embed == nil {
			return missing
		}
		vectors, err := speaker.embed(ctx, asked)
		return told(err, "vectors", vectors)
	case "models":
		if speaker.models == nil {
			return missing
		}
		ids, err := speaker.models(ctx, asked)
		return told(err, "ids", ids)
	}
	ask := texts[asked.Operation]
	if ask == nil {
		return missing
	}
	text, err := ask(ctx, asked)
	if asked.Operation == "schema" {
		var object any
		if err == nil {
			err = json.Unmarshal([]byte(text), &object)
		}
		return told(err, "object", object)
	}
	result := told(err, "text", text)
	result["calls"], result["usage"] = asked.calls, asked.usage
	return result
}

func told(err error, key string, value any) map[string]any {
	if err != nil {
		return map[string]any{"error": described(err)}
	}
	return map[string]any{key: value}
}

// described names an error by its type.
func described(err error) map[string]any {
	kind := reflect.TypeOf(err)
	if kind.Kind() == reflect.Pointer {
		kind = kind.Elem()
	}
	return map[string]any{"name": kind.String(), "message": err.Error()}
}

func (speaker client) streamed(ctx context.Context, cancel func(), asked *cell) map[string]any {
	var pieces []string
	err := speaker.stream(ctx, asked, func(piece string) {
		if piece == "" {
			return
		}
		pieces = append(pieces, piece)
		if asked.Operation == "abort" {
			cancel()
		}
	})
	result := map[string]any{"text": strings.Join(pieces, ""), "pieces": len(pieces), "usage": asked.usage}
	if err != nil && !(asked.Operation == "abort" && len(pieces) > 0) {
		result["error"] = described(err)
	}
	return result
}

// object is a JSON Schema.
type object = map[string]any

type tool struct {
	name, description string
	parameters        object
}

var text, number = object{"type": "string"}, object{"type": "integer"}

var tools = []tool{
	{"look_up", "The weather of a city.", object{
		"type": "object", "properties": object{"city": text, "days": number}, "required": []string{"city", "days"},
	}},
	{"note", "Keeps a note.", object{
		"type": "object", "properties": object{"text": text}, "required": []string{"text"},
	}},
}

var report = object{
	"type": "object",
	"properties": object{
		"city": object{"type": "string", "enum": []string{"Oslo", "Bergen"}},
		"days": number,
		"tags": object{"type": "array", "items": text},
		"place": object{
			"type":                 "object",
			"properties":           object{"country": text, "inland": object{"type": "boolean"}},
			"required":             []string{"country", "inland"},
			"additionalProperties": false,
		},
	},
	"required":             []string{"city", "days", "tags", "place"},
	"additionalProperties": false,
}
