/** What is known of an image without starting it. */
import { DeployError } from '../core/error.ts';
import type { Docker, Image } from '../host/docker/docker.ts';
import { parseImageName, toDockerArchitecture } from './image-reference.ts';

export type ObservedImage = { readonly present: false; readonly reference: string } | PresentImage;

export interface PresentImage {
  readonly present: true;
  readonly reference: string;
  /** `sha256:…` of its configuration. */
  readonly id: string;
  /** `sha256:…` of its manifest in the registry that the reference names; absent for what came from an archive. */
  readonly digest?: string;
  /** Of the vLLM inside; absent when nothing tells it. */
  readonly version?: string;
  readonly versionFrom?: VersionSource;
  readonly sizeBytes: number;
  readonly architecture: string;
  /** Empty: root. */
  readonly user: string;
}

export type VersionSource = 'label' | 'variable' | 'tag';

/** By reference or id. */
export async function observeImage(docker: Pick<Docker, 'images'>, reference: string): Promise<ObservedImage> {
  const image = await docker.images.inspect(reference);
  if (image === undefined) return { present: false, reference };
  const { id, sizeBytes, architecture, user } = image;
  const digest = toDigest(image, reference);
  const told = toImageVersion(image, reference);
  return {
    present: true,
    reference,
    id,
    ...(digest === undefined ? {} : { digest }),
    ...(told === undefined ? {} : { version: told.version, versionFrom: told.from }),
    sizeBytes,
    architecture,
    user,
  };
}

function toDigest({ digests }: Image, reference: string): string | undefined {
  const asked = parseImageName(reference);
  const known = digests.map(parseImageName).filter((name) => name?.digest !== undefined);
  const own = known.filter((name) => name?.name === asked?.name);
  // An index and the image of one architecture in it have different digests, and the engine may know both.
  return (own.find((name) => name?.digest === asked?.digest) ?? own[0])?.digest;
}

/**
 * First what only vLLM's own builds write; images from before mid-2026 have nothing but their tag. The common label and
 * a tag count for images of vLLM alone: others number themselves by them (`mine/chat:1.4.2`), and builds on top of
 * vLLM's write the common label anew. Anything but a whole version is no answer either: base images (Ubuntu, CUDA) leave
 * `org.opencontainers.image.version=22.04` behind, and the tags of NVIDIA's own images (`26.08-py3`) are months.
 */
export function toImageVersion(
  { labels, env, names }: Pick<Image, 'labels' | 'env' | 'names'>,
  reference: string,
): { readonly version: string; readonly from: VersionSource } | undefined {
  const own = [reference, ...names].map(parseImageName).filter((name) => isOfVllm(name?.name));
  const isMarked = own.length > 0 || Object.keys(labels).some((label) => label.startsWith('ai.vllm.'));
  const told: readonly (readonly [VersionSource, string | undefined])[] = [
    ['label', labels['ai.vllm.image.tag']],
    ['variable', env.find((entry) => entry.startsWith('VLLM_IMAGE_TAG='))],
    ['label', isMarked ? labels['org.opencontainers.image.version'] : undefined],
    ...own.map((name) => ['tag', name?.tag] as const),
  ];
  for (const [from, text] of told) {
    const version = toWholeVersion(text);
    if (version !== undefined) return { version, from };
  }
  return undefined;
}

/** `vllm/vllm-openai`, `…/vllm-openai-cpu`, `…/vllm-cpu-release-repo`, also below the name of a mirror. */
function isOfVllm(name = ''): boolean {
  return /(?:^|\/)vllm-(?:openai|cpu|arm64-cpu)(?:-[a-z-]+)?$/.test(name);
}

/** `v0.32.0`, `vllm/vllm-openai:v0.32.0-cu129`, `VLLM_IMAGE_TAG=v0.32.0` → `0.32.0`. */
function toWholeVersion(text: string | undefined): string | undefined {
  const tag = text?.replace(/^.*[:=]/, '') ?? '';
  return /^v?(\d+\.\d+\.\d+(?:\.\d+)?(?:(?:a|b|rc)\d+)?(?:\.post\d+)?)(?:[-_+].*)?$/.exec(tag)?.[1];
}

export interface ImageNeeds {
  /** Of the machine that runs it, as Docker names it; undefined where that is not known. */
  readonly architecture?: string;
  /** Of vLLM, that is checked against what the image says of itself. */
  readonly version?: string;
}

/** The architecture of an engine elsewhere is not known here. */
export function toMachineNeeds({ isLocal }: Pick<Docker, 'isLocal'>): ImageNeeds {
  return isLocal ? { architecture: toDockerArchitecture(process.arch) } : {};
}

/** Why it cannot be started here: `engine/image-architecture`, `engine/image-digest` or `engine/image-version`. */
export function toUnfit(image: PresentImage, { architecture, version }: ImageNeeds): DeployError | undefined {
  const { reference } = image;
  if (architecture !== undefined && image.architecture !== architecture) {
    return DeployError.of('engine/image-architecture', { reference, found: image.architecture, wanted: architecture });
  }
  const pinned = parseImageName(reference)?.digest;
  if (pinned !== undefined && image.digest !== pinned) {
    return DeployError.of('engine/image-digest', { reference, found: image.digest ?? image.id });
  }
  if (version !== undefined && image.version !== undefined && image.version !== version) {
    return DeployError.of('engine/image-version', { reference, found: image.version, wanted: version });
  }
  return undefined;
}
