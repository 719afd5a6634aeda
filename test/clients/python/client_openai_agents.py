import asyncio

from agents import Agent, ModelSettings, OpenAIProvider, RunConfig, Runner, function_tool

from cells import spoken
from report import Report


def agent(cell, **more):
    return Agent(name="Teller", model=cell.model, model_settings=ModelSettings(include_usage=True), **more)


def settings(cell):
    provider = OpenAIProvider(
        api_key=cell.token, base_url=f"{cell.origin}/v1", use_responses=cell.variant == "responses"
    )
    return RunConfig(model_provider=provider, tracing_disabled=True)


def counted(cell, result):
    usage = result.raw_responses[-1].usage
    cell.usage = [usage.input_tokens, usage.output_tokens]


def run(cell, speaker, content):
    return Runner.run_sync(speaker, content, run_config=settings(cell))


def plain(cell):
    result = run(cell, agent(cell), cell.prompt)
    counted(cell, result)
    return result.final_output


def stream(cell):
    async def pieces():
        result = Runner.run_streamed(agent(cell), cell.prompt, run_config=settings(cell))
        try:
            async for event in result.stream_events():
                if event.type == "raw_response_event" and event.data.type == "response.output_text.delta":
                    yield event.data.delta
        finally:
            result.cancel()
            # Its own tasks end the call, in a loop of events that goes on.
            await asyncio.sleep(0.2)
        counted(cell, result)

    return spoken(pieces())


def loop(cell):
    tools = [function_tool(function) for function in cell.functions()]
    return run(cell, agent(cell, tools=tools), cell.loopPrompt).final_output


def schema(cell):
    return run(cell, agent(cell, output_type=Report), cell.schemaPrompt).final_output.model_dump()


def image(cell):
    picture = {"type": "input_image", "detail": "auto", "image_url": f"data:image/png;base64,{cell.image}"}
    content = [{"type": "input_text", "text": cell.imagePrompt}, picture]
    return run(cell, agent(cell), [{"role": "user", "content": content}]).final_output
