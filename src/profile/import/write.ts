/** A profile as the text of its file. */
import { Document, isCollection, isScalar, type Pair, Scalar, visit } from 'yaml';
import type { Tree } from './place.ts';

/** `comment`: what it was made from, without `#`. */
export function renderProfileText(profile: Tree, comment: string): string {
  const document = new Document(profile, { aliasDuplicateObjects: false, compat: 'yaml-1.1' });
  document.commentBefore = comment
    .split('\n')
    .map((line) => ` ${line}`)
    .join('\n');
  // `compat`: the words that older readers take for true and false stand in quotes.
  visit(document, {
    // Without quotes, a version of two parts would be a number.
    Pair: (_, pair: Pair<unknown, unknown>) => {
      if (isScalar(pair.key) && pair.key.value === 'version' && isScalar(pair.value)) pair.value.type = Scalar.QUOTE_DOUBLE;
    },
    // Short lists in one line, as one writes them.
    Seq: (_, seq) => {
      if (!seq.items.some(isCollection)) seq.flow = true;
    },
  });
  return document.toString({ lineWidth: 120, flowCollectionPadding: false });
}
