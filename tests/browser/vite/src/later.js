export const words = 'loaded later'
