// Texts whose contrast with what is behind them is below 4.5, or 3 where they are large.
() => {
  const parse = (color) => {
    const numbers = (color.match(/[\d.]+/g) ?? []).map(Number);
    if (color.startsWith("color(srgb")) return [...numbers.slice(0, 3).map((part) => 255 * part), numbers[3] ?? 1];
    return [...numbers.slice(0, 3), numbers[3] ?? 1];
  };
  const over = (top, below) => top.slice(0, 3).map((part, at) => part * top[3] + below[at] * (1 - top[3]));
  const ground = (node) => {
    if (!node) return [255, 255, 255];
    const own = parse(getComputedStyle(node).backgroundColor);
    return own[3] === 1 ? own.slice(0, 3) : over(own, ground(node.parentElement));
  };
  const light = (rgb) => {
    const [red, green, blue] = rgb.map((part) => (part /= 255) <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode.parentElement;
    const style = getComputedStyle(node);
    if (!walker.currentNode.textContent.trim() || !node.checkVisibility({ visibilityProperty: true })) continue;
    if (node.closest(".hidden, .skip, :disabled, script, noscript, svg, option")) continue;
    const behind = ground(node);
    const [one, other] = [light(over(parse(style.color), behind)), light(behind)].sort((a, b) => b - a);
    const size = parseFloat(style.fontSize);
    const enough = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700) ? 3 : 4.5;
    const contrast = (one + 0.05) / (other + 0.05);
    if (contrast < enough) found.push([contrast.toFixed(2), walker.currentNode.textContent.trim().slice(0, 60)]);
  }
  return found;
}
