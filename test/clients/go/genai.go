package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"strings"

	"google.golang.org/genai"
)

func openGenai(ctx context.Context, asked *cell) (*genai.Client, error) {
	return genai.NewClient(ctx, &genai.ClientConfig{
		APIKey:      asked.Token,
		Backend:     genai.BackendGeminiAPI,
		HTTPOptions: genai.HTTPOptions{BaseURL: asked.Origin},
	})
}

func genaiAnswer(
	ctx context.Context, asked *cell, contents []*genai.Content, config *genai.GenerateContentConfig,
) (*genai.GenerateContentResponse, error) {
	speaker, err := openGenai(ctx, asked)
	if err != nil {
		return nil, err
	}
	return speaker.Models.GenerateContent(ctx, asked.Model, contents, config)
}

func genaiText(
	ctx context.Context, asked *cell, contents []*genai.Content, config *genai.GenerateContentConfig,
) (string, error) {
	answer, err := genaiAnswer(ctx, asked, contents, config)
	if err != nil {
		return "", err
	}
	genaiCounted(asked, answer)
	return answer.Text(), nil
}

func genaiCounted(asked *cell, answer *genai.GenerateContentResponse) {
	if usage := answer.UsageMetadata; usage != nil {
		asked.counted(int64(usage.PromptTokenCount), int64(usage.CandidatesTokenCount))
	}
}

var genaiClient = client{
	plain: func(ctx context.Context, asked *cell) (string, error) {
		return genaiText(ctx, asked, genai.Text(asked.Task.Prompt), nil)
	},
	stream: func(ctx context.Context, asked *cell, say func(string)) error {
		speaker, err := openGenai(ctx, asked)
		if err != nil {
			return err
		}
		for chunk, err := range speaker.Models.GenerateContentStream(ctx, asked.Model, genai.Text(asked.Task.Prompt), nil) {
			if err != nil {
				return err
			}
			genaiCounted(asked, chunk)
			say(chunk.Text())
		}
		return nil
	},
	loop: func(ctx context.Context, asked *cell) (string, error) {
		declared := &genai.Tool{}
		for _, tool := range tools {
			declared.FunctionDeclarations = append(declared.FunctionDeclarations, &genai.FunctionDeclaration{
				Name: tool.name, Description: tool.description, ParametersJsonSchema: tool.parameters,
			})
		}
		config := &genai.GenerateContentConfig{Tools: []*genai.Tool{declared}, TopK: genai.Ptr(float32(40))}
		talk := genai.Text(asked.Task.LoopPrompt)
		for {
			answer, err := genaiAnswer(ctx, asked, talk, config)
			if err != nil {
				return "", err
			}
			calls := answer.FunctionCalls()
			if len(calls) == 0 {
				return answer.Text(), nil
			}
			talk = append(talk, answer.Candidates[0].Content)
			var results []*genai.Part
			for _, called := range calls {
				arguments, _ := json.Marshal(called.Args)
				part := genai.NewPartFromFunctionResponse(called.Name, map[string]any{
					"output": asked.run(called.Name, string(arguments)),
				})
				part.FunctionResponse.ID = called.ID
				results = append(results, part)
			}
			talk = append(talk, genai.NewContentFromParts(results, genai.RoleUser))
		}
	},
	schema: func(ctx context.Context, asked *cell) (string, error) {
		config := &genai.GenerateContentConfig{ResponseMIMEType: "application/json", ResponseJsonSchema: report}
		return genaiText(ctx, asked, genai.Text(asked.Task.SchemaPrompt), config)
	},
	image: func(ctx context.Context, asked *cell) (string, error) {
		bytes, err := base64.StdEncoding.DecodeString(asked.Task.Image)
		if err != nil {
			return "", err
		}
		parts := []*genai.Part{genai.NewPartFromBytes(bytes, "image/png"), genai.NewPartFromText(asked.Task.ImagePrompt)}
		return genaiText(ctx, asked, []*genai.Content{genai.NewContentFromParts(parts, genai.RoleUser)}, nil)
	},
	embed: func(ctx context.Context, asked *cell) ([][]float64, error) {
		speaker, err := openGenai(ctx, asked)
		if err != nil {
			return nil, err
		}
		var contents []*genai.Content
		for _, text := range asked.Task.Texts {
			contents = append(contents, genai.Text(text)...)
		}
		answer, err := speaker.Models.EmbedContent(ctx, asked.Model, contents, nil)
		if err != nil {
			return nil, err
		}
		var vectors [][]float64
		for _, embedding := range answer.Embeddings {
			vector := make([]float64, len(embedding.Values))
			for index, value := range embedding.Values {
				vector[index] = float64(value)
			}
			vectors = append(vectors, vector)
		}
		return vectors, nil
	},
	models: func(ctx context.Context, asked *cell) ([]string, error) {
		speaker, err := openGenai(ctx, asked)
		if err != nil {
			return nil, err
		}
		var ids []string
		for model, err := range speaker.Models.All(ctx) {
			if err != nil {
				return nil, err
			}
			ids = append(ids, strings.TrimPrefix(model.Name, "models/"))
		}
		return ids, nil
	},
}
