/** Flags of vLLM that are settings of ours, and where those stand: each setting has one spelling and one place. */
export const ourPlaces: Readonly<Record<string, string>> = {
  model: 'model',
  revision: 'model.revision',
  tokenizer: 'model.tokenizer',
  'served-model-name': 'served-names',
  quantization: 'quantization',
  host: 'server.host',
  port: 'server.port',
  'api-key': 'server.api-key',
  'shutdown-timeout': 'stop.drain',
  'lora-modules': 'lora',
};
