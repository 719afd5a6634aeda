package main

import (
	"context"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/shared"
)

func openOpenai(asked *cell) openai.Client {
	return openai.NewClient(option.WithBaseURL(asked.Origin+"/v1"), option.WithAPIKey(asked.Token))
}

func openaiBody(asked *cell, prompt string) openai.ChatCompletionNewParams {
	return openai.ChatCompletionNewParams{
		Model:    asked.Model,
		Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage(prompt)},
	}
}

func openaiText(ctx context.Context, asked *cell, body openai.ChatCompletionNewParams) (string, error) {
	speaker := openOpenai(asked)
	answer, err := speaker.Chat.Completions.New(ctx, body)
	if err != nil {
		return "", err
	}
	asked.counted(answer.Usage.PromptTokens, answer.Usage.CompletionTokens)
	return answer.Choices[0].Message.Content, nil
}

var openaiClient = client{
	plain: func(ctx context.Context, asked *cell) (string, error) {
		return openaiText(ctx, asked, openaiBody(asked, asked.Task.Prompt))
	},
	stream: func(ctx context.Context, asked *cell, say func(string)) error {
		body := openaiBody(asked, asked.Task.Prompt)
		body.StreamOptions = openai.ChatCompletionStreamOptionsParam{IncludeUsage: openai.Bool(true)}
		speaker := openOpenai(asked)
		chunks := speaker.Chat.Completions.NewStreaming(ctx, body)
		defer chunks.Close()
		for chunks.Next() {
			chunk := chunks.Current()
			if chunk.Usage.TotalTokens > 0 {
				asked.counted(chunk.Usage.PromptTokens, chunk.Usage.CompletionTokens)
			}
			if len(chunk.Choices) > 0 {
				say(chunk.Choices[0].Delta.Content)
			}
		}
		return chunks.Err()
	},
	loop: func(ctx context.Context, asked *cell) (string, error) {
		body := openaiBody(asked, asked.Task.LoopPrompt)
		for _, tool := range tools {
			body.Tools = append(body.Tools, openai.ChatCompletionFunctionTool(shared.FunctionDefinitionParam{
				Name: tool.name, Description: openai.String(tool.description), Parameters: tool.parameters,
			}))
		}
		speaker := openOpenai(asked)
		for {
			answer, err := speaker.Chat.Completions.New(ctx, body)
			if err != nil {
				return "", err
			}
			message := answer.Choices[0].Message
			if len(message.ToolCalls) == 0 {
				return message.Content, nil
			}
			body.Messages = append(body.Messages, message.ToParam())
			for _, called := range message.ToolCalls {
				result := asked.run(called.Function.Name, called.Function.Arguments)
				body.Messages = append(body.Messages, openai.ToolMessage(result, called.ID))
			}
		}
	},
	schema: func(ctx context.Context, asked *cell) (string, error) {
		body := openaiBody(asked, asked.Task.SchemaPrompt)
		body.ResponseFormat = openai.ChatCompletionNewParamsResponseFormatUnion{
			OfJSONSchema: &shared.ResponseFormatJSONSchemaParam{
				JSONSchema: shared.ResponseFormatJSONSchemaJSONSchemaParam{
					Name: "report", Strict: openai.Bool(true), Schema: report,
				},
			},
		}
		return openaiText(ctx, asked, body)
	},
	image: func(ctx context.Context, asked *cell) (string, error) {
		body := openaiBody(asked, "")
		picture := openai.ChatCompletionContentPartImageImageURLParam{URL: "data:image/png;base64," + asked.Task.Image}
		body.Messages = []openai.ChatCompletionMessageParamUnion{openai.UserMessage(
			[]openai.ChatCompletionContentPartUnionParam{
				openai.TextContentPart(asked.Task.ImagePrompt), openai.ImageContentPart(picture),
			},
		)}
		return openaiText(ctx, asked, body)
	},
	embed: func(ctx context.Context, asked *cell) ([][]float64, error) {
		speaker := openOpenai(asked)
		answer, err := speaker.Embeddings.New(ctx, openai.EmbeddingNewParams{
			Model: asked.Model,
			Input: openai.EmbeddingNewParamsInputUnion{OfArrayOfStrings: asked.Task.Texts},
		})
		if err != nil {
			return nil, err
		}
		var vectors [][]float64
		for _, row := range answer.Data {
			vectors = append(vectors, row.Embedding)
		}
		return vectors, nil
	},
	models: func(ctx context.Context, asked *cell) ([]string, error) {
		speaker := openOpenai(asked)
		var ids []string
		pages := speaker.Models.ListAutoPaging(ctx)
		for pages.Next() {
			ids = append(ids, pages.Current().ID)
		}
		return ids, pages.Err()
	},
}
