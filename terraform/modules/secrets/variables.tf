variable "secrets" {
  description = "Names of the secrets by purpose."
  type        = map(string)
}

variable "descriptions" {
  description = "What belongs into each secret, by purpose."
  type        = map(string)

  validation {
    condition     = alltrue([for purpose in keys(var.secrets) : contains(keys(var.descriptions), purpose)])
    error_message = "descriptions must have one for each of the secrets."
  }
}

variable "force_destroy" {
  description = "Whether a destroyed secret is gone at once, rather than after 30 days."
  type        = bool
}
