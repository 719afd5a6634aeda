package main

import (
	"context"

	"github.com/anthropics/anthropic-sdk-go"
	"github.com/anthropics/anthropic-sdk-go/option"
)

func openAnthropic(asked *cell) anthropic.Client {
	return anthropic.NewClient(option.WithBaseURL(asked.Origin), option.WithAPIKey(asked.Token))
}

func anthropicBody(asked *cell, content ...anthropic.ContentBlockParamUnion) anthropic.MessageNewParams {
	return anthropic.MessageNewParams{
		Model:     anthropic.Model(asked.Model),
		MaxTokens: 1000,
		Messages:  []anthropic.MessageParam{anthropic.NewUserMessage(content...)},
	}
}

func anthropicText(ctx context.Context, asked *cell, body anthropic.MessageNewParams) (string, error) {
	speaker := openAnthropic(asked)
	answer, err := speaker.Messages.New(ctx, body)
	if err != nil {
		return "", err
	}
	asked.counted(answer.Usage.InputTokens, answer.Usage.OutputTokens)
	return answer.Content[0].Text, nil
}

var anthropicClient = client{
	plain: func(ctx context.Context, asked *cell) (string, error) {
		return anthropicText(ctx, asked, anthropicBody(asked, anthropic.NewTextBlock(asked.Task.Prompt)))
	},
	stream: func(ctx context.Context, asked *cell, say func(string)) error {
		speaker := openAnthropic(asked)
		body := anthropicBody(asked, anthropic.NewTextBlock(asked.Task.Prompt))
		events := speaker.Messages.NewStreaming(ctx, body)
		defer events.Close()
		whole := anthropic.Message{}
		for events.Next() {
			event := events.Current()
			if err := whole.Accumulate(event); err != nil {
				return err
			}
			if event.Type == "content_block_delta" {
				say(event.Delta.Text)
			}
		}
		asked.counted(whole.Usage.InputTokens, whole.Usage.OutputTokens)
		return events.Err()
	},
	loop: func(ctx context.Context, asked *cell) (string, error) {
		speaker := openAnthropic(asked)
		body := anthropicBody(asked, anthropic.NewTextBlock(asked.Task.LoopPrompt))
		for _, tool := range tools {
			body.Tools = append(body.Tools, anthropic.ToolUnionParam{OfTool: &anthropic.ToolParam{
				Name:        tool.name,
				Description: anthropic.String(tool.description),
				InputSchema: anthropic.ToolInputSchemaParam{
					Properties: tool.parameters["properties"],
					Required:   tool.parameters["required"].([]string),
				},
			}})
		}
		for {
			answer, err := speaker.Messages.New(ctx, body)
			if err != nil {
				return "", err
			}
			body.Messages = append(body.Messages, answer.ToParam())
			var results []anthropic.ContentBlockParamUnion
			for _, block := range answer.Content {
				if block.Type == "tool_use" {
					result := asked.run(block.Name, string(block.Input))
					results = append(results, anthropic.NewToolResultBlock(block.ID, result, false))
				}
			}
			if len(results) == 0 {
				return answer.Content[0].Text, nil
			}
			body.Messages = append(body.Messages, anthropic.NewUserMessage(results...))
		}
	},
	schema: func(ctx context.Context, asked *cell) (string, error) {
		body := anthropicBody(asked, anthropic.NewTextBlock(asked.Task.SchemaPrompt))
		body.OutputConfig = anthropic.OutputConfigParam{Format: anthropic.JSONOutputFormatParam{Schema: report}}
		return anthropicText(ctx, asked, body)
	},
	image: func(ctx context.Context, asked *cell) (string, error) {
		picture := anthropic.NewImageBlockBase64("image/png", asked.Task.Image)
		return anthropicText(ctx, asked, anthropicBody(asked, picture, anthropic.NewTextBlock(asked.Task.ImagePrompt)))
	},
	models: func(ctx context.Context, asked *cell) ([]string, error) {
		speaker := openAnthropic(asked)
		var ids []string
		pages := speaker.Models.ListAutoPaging(ctx, anthropic.ModelListParams{})
		for pages.Next() {
			ids = append(ids, pages.Current().ID)
		}
		return ids, pages.Err()
	},
}
