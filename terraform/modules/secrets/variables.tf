variable "secrets" {
  description = "Names of the secrets by purpose."
  type        = map(string)
}

variable "descriptions" {
  description = "Description of each secret by purpose: what to store in it."
  type        = map(string)

  validation {
    condition     = alltrue([for purpose in keys(var.secrets) : contains(keys(var.descriptions), purpose)])
    error_message = "descriptions must have an entry for each secret."
  }
}

variable "force_destroy" {
  description = "Whether a destroyed secret is deleted immediately instead of after 30 days."
  type        = bool
}
