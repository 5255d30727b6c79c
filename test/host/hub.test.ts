import { expect, it } from 'vitest';
import { askHub, isHubReachable } from '../../src/host/hub.ts';
import { openHub, toNobody } from './fake-hub.ts';

const model = 'Qwen/Qwen3-0.6B';

it('asks for the model itself', async () => {
  const HF_ENDPOINT = `${await openHub(200)}/`;
  expect(await isHubReachable(model, { HF_ENDPOINT })).toBe(true);
  expect(await isHubReachable('Qwen/none', { HF_ENDPOINT })).toBe(false);
  expect(await isHubReachable(model, { HF_ENDPOINT, HF_HUB_OFFLINE: '1' })).toBe(false);
});

it('takes no answer for no, unless a proxy may know better', async () => {
  const HF_ENDPOINT = await toNobody();
  expect(await isHubReachable(model, { HF_ENDPOINT })).toBe(false);
  expect(await isHubReachable(model, { HF_ENDPOINT, HTTPS_PROXY: 'http://proxy:3128' })).toBe(true);
});

it('shows a token, and says how the hub answered', async () => {
  const HF_ENDPOINT = await openHub(401);
  expect(await askHub(model, { HF_ENDPOINT })).toEqual({ is: 'answered', status: 401, endpoint: HF_ENDPOINT });
  expect(await askHub(model, { HF_ENDPOINT }, { token: 'hf_good' })).toMatchObject({ status: 200 });
});

it('says why nobody answered', async () => {
  const HF_ENDPOINT = await toNobody();
  expect(await askHub(model, { HF_ENDPOINT })).toEqual({ is: 'silent', problem: 'ECONNREFUSED', endpoint: HF_ENDPOINT });
  const signal = AbortSignal.abort();
  expect(await askHub(model, { HF_ENDPOINT }, { signal })).toMatchObject({ problem: 'EABORT' });
});
