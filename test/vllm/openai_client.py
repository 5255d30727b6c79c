# Arguments: base URL. Prints one JSON object of what the OpenAI client got, streamed and not.
import json
import sys

import openai

client = openai.OpenAI(base_url=sys.argv[1], api_key="EMPTY", max_retries=0, timeout=60)
messages = [{"role": "user", "content": "Hello"}]


def chat(**extra):
    return client.chat.completions.create(model="Qwen3-0.6B", messages=messages, max_tokens=8, **extra)


def prompt_tokens(thinking):
    return chat(extra_body={"chat_template_kwargs": {"enable_thinking": thinking}}).usage.prompt_tokens


chunks = list(chat(stream=True, stream_options={"include_usage": True}))
print(json.dumps({
    "models": [model.id for model in client.models.list().data],
    "chat": chat().object,
    "completion": client.completions.create(model="Qwen3-0.6B", prompt="Hello", max_tokens=4).object,
    "chunks": len(chunks),
    "streamed_tokens": [chunk.usage.completion_tokens for chunk in chunks if chunk.usage],
    "thinking_changes_prompt": prompt_tokens(True) != prompt_tokens(False),
}))
