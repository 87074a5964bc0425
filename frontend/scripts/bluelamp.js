// Enhances pages that work without it: the GOV.UK components' behaviour, and progress that moves by itself.

import {
  Button,
  CharacterCount,
  Checkboxes,
  createAll,
  ErrorSummary,
  NotificationBanner,
  PasswordInput,
  Radios,
  ServiceNavigation,
  SkipLink,
  Tabs
} from 'govuk-frontend'

import { followProgress } from './progress.js'

const components = [
  Button,
  CharacterCount,
  Checkboxes,
  ErrorSummary,
  NotificationBanner,
  PasswordInput,
  Radios,
  ServiceNavigation,
  SkipLink,
  Tabs
]

// Whatever htmx swaps in is started too; what stood there before refuses a second start, which is no error.
const onError = (error) => {
  if (error.name !== 'InitError') console.error(error)
}

const enhance = () => {
  for (const component of components) createAll(component, undefined, { onError })
  followProgress(document)
}

enhance()
document.addEventListener('htmx:after:swap', enhance)
