import type { Element, ElementContent, Root, RootContent } from 'hast';

/** Elements and roles that are not part of a page's text. */
const boilerplateTags = new Set([
  'script',
  'style',
  'noscript',
  'template',
  'nav',
  'footer',
  'svg',
  'canvas',
  'iframe',
  'object',
  'embed',
  'button',
  'select',
  'input',
  'textarea',
  'dialog',
]);
const boilerplateRoles = new Set([
  'navigation',
  'banner',
  'contentinfo',
  'search',
  'complementary',
  'menu',
  'menubar',
  'toolbar',
]);

/** What pages call a part that opens on a click. */
const foldingClass = /accordion|collaps|expand|toggle|faq|disclosure|tab-?pan|panel/i;

/** The buttons that open a panel, and the panels that they open. */
type Folds = { buttons: Set<Element>; panels: Set<Element> };

/** Tells which elements of a page are read: not navigation, scripts, controls and what is hidden for good. */
export function createReadableTest(page: Root): (element: Element) => boolean {
  const { buttons, panels } = foldsOf(page);
  return (element) => {
    if (buttons.has(element)) return true;
    const { role } = element.properties;
    if (boilerplateTags.has(element.tagName) || (typeof role === 'string' && boilerplateRoles.has(role))) return false;
    return panels.has(element) || !isHidden(element);
  };
}

const isHidden = ({ properties: { hidden, ariaHidden, style } }: Element) =>
  hidden === true ||
  hidden === '' ||
  ariaHidden === 'true' ||
  (typeof style === 'string' && /display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0(?![.\d])/i.test(style));

function foldsOf(page: Root): Folds {
  const folds: Folds = { buttons: new Set(), panels: new Set() };
  const controlled = new Set<string>();
  const byId = new Map<string, Element>();
  visit(page, false);
  for (const id of controlled) {
    const panel = byId.get(id);
    if (panel) folds.panels.add(panel);
  }
  return folds;

  function visit(parent: Root | Element, inHeading: boolean) {
    let before: Element | undefined;
    for (const child of parent.children as (RootContent | ElementContent)[]) {
      if (child.type !== 'element') continue;
      const { id, role } = child.properties;
      if (typeof id === 'string') byId.set(id, child);
      const targets = targetsOf(child);
      for (const target of targets) controlled.add(target);
      const inTitle = inHeading || /^(?:h[1-6]|dt|summary)$/.test(child.tagName);
      if (child.tagName === 'button' && (inTitle || targets.length > 0 || isFolding(child))) folds.buttons.add(child);
      if (role === 'tabpanel' || (isHidden(child) && isFolding(child)) || (before && opensNext(before)))
        folds.panels.add(child);
      visit(child, inTitle);
      before = child;
    }
  }

  /** Whether an element is a button of a fold, or the title that holds one. */
  function opensNext(element: Element, levels = 3): boolean {
    if (folds.buttons.size === 0 || levels === 0) return false;
    return (
      folds.buttons.has(element) ||
      (/^(?:h[1-6]|dt|div)$/.test(element.tagName) &&
        element.children.some((child) => child.type === 'element' && opensNext(child, levels - 1)))
    );
  }
}

/** The ids of the panels that an element opens. */
function targetsOf({ properties }: Element): string[] {
  const { ariaControls, ariaExpanded, dataBsTarget, dataTarget } = properties;
  // The HTML parser splits this attribute at its spaces.
  const controls = Array.isArray(ariaControls) ? ariaControls.map(String) : [];
  const targets = [dataBsTarget, dataTarget].flatMap((target) =>
    typeof target === 'string' && target.startsWith('#') ? [target.slice(1)] : [],
  );
  const all = [...controls, ...targets];
  return all.length === 0 && ariaExpanded !== undefined ? [''] : all;
}

const isFolding = ({ properties: { className } }: Element) =>
  foldingClass.test(Array.isArray(className) ? className.join(' ') : String(className ?? ''));
