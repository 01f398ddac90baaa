/** A line ends with any of these; a CR at the end of what has arrived may be half of a CRLF. */
const lineEnd = /\r\n|\n|\r(?!$)/g;

/**
 * Reads server-sent events as the HTML standard defines them, of which only the data counts here.
 *
 * @returns a function that takes the next part of the stream and returns the data of the events that it completes
 */
export function createEventParser(): (text: string) => string[] {
  let rest = '';
  let data: string[] = [];
  return (text) => {
    const complete: string[] = [];
    // What was there before holds no line end, but for a CR in its last place.
    lineEnd.lastIndex = Math.max(0, rest.length - 1);
    rest += text;
    let start = 0;
    for (let end = lineEnd.exec(rest); end; end = lineEnd.exec(rest)) {
      const line = rest.slice(start, end.index);
      start = lineEnd.lastIndex;
      if (line === '') {
        if (data.length > 0) complete.push(data.join('\n'));
        data = [];
      } else if (line === 'data') data.push('');
      else if (line.startsWith('data:')) data.push(line.slice(line[5] === ' ' ? 6 : 5));
    }
    rest = rest.slice(start);
    return complete;
  };
}
