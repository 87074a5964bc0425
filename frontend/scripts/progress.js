// A progress bar fed by server-sent events: components/progress.html names the stream in data-progress-stream.
//
// Each message is JSON: { value, maximum, text, state: "running" | "done" | "failed" }. When the work is over the
// stream closes; with data-progress-then="reload" the page then shows the result.

export const followProgress = (root) => {
  for (const element of root.querySelectorAll('[data-progress-stream]')) follow(element)
}

const follow = (element) => {
  const stream = new EventSource(element.dataset.progressStream)
  // Followed once, however often a swap elsewhere on the page asks.
  element.removeAttribute('data-progress-stream')
  const bar = element.querySelector('progress')
  const text = element.querySelector('[role="status"]')

  stream.onmessage = (message) => {
    const { value, maximum, text: words, state } = JSON.parse(message.data)
    bar.max = maximum
    bar.value = value
    text.textContent = words
    element.dataset.state = state
    if (state === 'running') return
    stream.close()
    if (state === 'done' && element.dataset.progressThen === 'reload') window.location.reload()
  }
}
