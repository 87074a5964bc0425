// What the server, or the connection, says when a piece of a file is not taken.

const PASSING = [408, 409, 423, 429, 507]
const FINAL_TYPES = ['AdditionIsClosed', 'TooManyUnfinished']
// What a dock is told to do next would puzzle a person.
const OWN_TYPES = [...FINAL_TYPES, 'AdditionUnknown', 'FileIsEmpty', 'FileIsTooLarge']

// An RFC 9457 problem, or only its status; 0 where no answer came.
export const problemOf = (error) => {
  const answer = error.originalResponse
  const status = answer ? answer.getStatus() : 0
  try {
    return { status, ...JSON.parse(answer.getBody()) }
  } catch {
    return { status }
  }
}

const typeOf = (problem) => String(problem.type || '').replace('urn:bluelamp:problem:', '')

// Whether trying again may help.
export const passes = (problem) =>
  problem.status === 0 ||
  problem.status >= 500 ||
  (PASSING.includes(problem.status) && !FINAL_TYPES.includes(typeOf(problem)))

// What happened and what to do, in a sentence each; empty where nobody said anything.
export const inWords = (problem) => {
  const next = OWN_TYPES.includes(typeOf(problem)) ? problem.next_step : 'Keep the file, and try again.'
  return problem.detail ? `${problem.detail} ${next}` : ''
}
